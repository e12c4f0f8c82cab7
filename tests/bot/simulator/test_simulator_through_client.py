"""The simulator, driven by the real client: what one writes the other reads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.github.access import AppAccess
from bot.github.api_version import API_VERSIONS
from bot.github.auth import AppAuth, InstallationAuth, TokenAuth
from bot.github.client import GitHubClient
from bot.github.errors import BadRequest, Forbidden, Gone, Moved, NotFound, Unauthorized
from bot.github.labels import LabelSuggestion
from bot.simulator.records import SuggestionMode
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport

pytestmark = pytest.mark.anyio
REPO = "octo/lab"
URL = "http://github.test"


class Clock:
    """Time that moves when told to, by one second at each look otherwise."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> GitHubState:
    state = GitHubState(clock, url=URL)
    state.add_repository(REPO)
    state.add_token("secret", "tagger-machine")
    state.set_role(REPO, "tagger-machine", "write")
    state.add_label(REPO, "bug", "Something is broken")
    return state


@pytest.fixture
async def github(state: GitHubState):
    transport = SimulatorTransport(state)
    async with GitHubClient.open(URL, auth=TokenAuth("secret"), transport=transport) as client:
        yield client


@pytest.mark.parametrize("version", API_VERSIONS)
async def test_each_version_of_the_api_is_understood(state, version) -> None:
    transport = SimulatorTransport(state)
    async with GitHubClient.open(URL, transport=transport, api_version=version) as client:
        assert (await client.repository(REPO)).full_name == REPO


async def test_an_unknown_version_of_the_api_is_refused(state) -> None:
    transport = SimulatorTransport(state)
    async with GitHubClient.open(URL, transport=transport, api_version="2019-01-01") as client:
        with pytest.raises(BadRequest, match="2019-01-01 is not supported"):
            await client.repository(REPO)


async def test_an_installation_token_is_asked_for_in_the_same_version(state) -> None:
    app = state.create_app("tagger")
    state.install(app, REPO)
    state.api_versions = frozenset({"2022-11-28"})
    transport = SimulatorTransport(state)
    async with GitHubClient.open(URL, transport=transport, api_version="2022-11-28") as client:
        access = AppAccess(client, AppAuth(app.id, app.private_key, state.clock), URL)
        await (await access.client(REPO)).labels(REPO)


async def test_an_issue_comes_back_as_it_was_filed(state, github) -> None:
    state.open_issue(REPO, "It crashes", "at start", by="ada", labels=["bug"])
    issue = await github.issue(REPO, 1)
    assert (issue.number, issue.title, issue.body) == (1, "It crashes", "at start")
    assert issue.label_names == {"bug"}
    assert issue.user.login == "ada"
    assert not issue.user.is_bot


async def test_labels_are_added_and_missing_ones_created(state, github) -> None:
    state.open_issue(REPO, "t", "b")
    labels = await github.add_labels(REPO, 1, ["bug", "new one/with slash"])
    assert [label.name for label in labels] == ["bug", "new one/with slash"]
    assert {label.name for label in await github.labels(REPO)} == {"bug", "new one/with slash"}
    assert state.deliveries[-1].payload["sender"]["login"] == "tagger-machine"


async def test_adding_a_label_twice_leaves_one_event(state, github) -> None:
    state.open_issue(REPO, "t", "b")
    await github.add_labels(REPO, 1, ["bug"])
    await github.add_labels(REPO, 1, ["BUG"])
    assert [event.event for event in await github.timeline(REPO, 1)] == ["labeled"]


@pytest.mark.parametrize("name", ["bug", "a/b", "..", ".", "ä ö", "100%", "a?b#c"])
async def test_removing_a_label_removes_that_one_only(state, github, name) -> None:
    state.open_issue(REPO, "t", "b", labels=["keep", name])
    assert await github.remove_label(REPO, 1, name)
    assert not await github.remove_label(REPO, 1, name)
    assert (await github.issue(REPO, 1)).label_names == {"keep"}


async def test_who_set_and_removed_a_label_is_told(state, github) -> None:
    state.open_issue(REPO, "t", "b")
    await github.add_labels(REPO, 1, ["bug"])
    state.remove_label(REPO, 1, "bug", by="ada")
    events = await github.timeline(REPO, 1)
    assert [(one.event, one.label.name, one.actor.login) for one in events] == [
        ("labeled", "bug", "tagger-machine"),
        ("unlabeled", "bug", "ada"),
    ]


async def test_comments_are_written_edited_and_listed(state, github) -> None:
    state.open_issue(REPO, "t", "b")
    first = await github.comment(REPO, 1, "hello")
    await github.edit_comment(REPO, first.id, "hello again")
    assert [one.body for one in await github.comments(REPO, 1)] == ["hello again"]


async def test_an_issue_is_created_edited_and_closed(state, github) -> None:
    created = await github.create_issue(REPO, "report", "text", ["bug"])
    edited = await github.edit_issue(REPO, created.number, body="other", state="closed")
    assert (edited.title, edited.body, edited.state) == ("report", "other", "closed")
    assert edited.label_names == {"bug"}


async def test_walking_issues_by_pages_meets_each_once(state, clock, github) -> None:
    for number in range(250):
        clock.advance(seconds=number % 3)
        state.open_issue(REPO, f"issue {number}")
    pages = [page async for page in github.issues(REPO)]
    assert [issue.number for page in pages for issue in page.items] == list(range(1, 251))


async def test_a_second_with_more_changes_than_a_page_is_walked_through(state, github) -> None:
    for number in range(250):
        state.open_issue(REPO, f"issue {number}")
    numbers = [one.number async for page in github.issues(REPO) for one in page.items]
    assert sorted(numbers) == list(range(1, 251))


async def test_an_issue_changed_during_the_walk_pushes_no_other_out(state, clock, github) -> None:
    for number in range(250):
        clock.advance(seconds=1)
        state.open_issue(REPO, f"issue {number}")
    met = []
    async for page in github.issues(REPO):
        met += [issue.number for issue in page.items]
        clock.advance(seconds=1)
        state.add_labels(REPO, 1, [f"label {len(met)}"], by="ada")
    assert set(met) == set(range(1, 251))


async def test_a_walk_goes_on_from_the_cursor_of_a_page(state, clock, github) -> None:
    for number in range(250):
        clock.advance(seconds=1)
        state.open_issue(REPO, f"issue {number}")
    pages = github.issues(REPO)
    first = await anext(pages)
    rest = [page async for page in github.issues(REPO, cursor=first.next)]
    numbers = {issue.number for page in [first, *rest] for issue in page.items}
    assert numbers == set(range(1, 251))


async def test_a_walk_repeated_asks_conditionally_and_gets_nothing_new(
    state, clock, github
) -> None:
    for number in range(250):
        clock.advance(seconds=1)
        state.open_issue(REPO, f"issue {number}")
    known = {page.url: page.known async for page in github.issues(REPO)}
    before = len(state.requests)
    again = [page async for page in github.issues(REPO, known_pages=known)]
    assert all(page.unchanged and not page.items for page in again)
    assert len(again) == len(known)
    assert all(seen.conditional and seen.status == 304 for seen in list(state.requests)[before:])


@pytest.mark.parametrize("count", [0, 1, 99, 100, 101, 200])
async def test_the_next_walk_picks_up_where_the_last_one_ended(state, clock, github, count) -> None:
    for number in range(count):
        clock.advance(seconds=1)
        state.open_issue(REPO, f"issue {number}")
    pages = [page async for page in github.issues(REPO)]
    assert sum(len(page.items) for page in pages) == count
    cursor, known = pages[-1].window, {page.url: page.known for page in pages if page.known}
    (nothing,) = [page async for page in github.issues(REPO, cursor=cursor, known_pages=known)]
    assert nothing.unchanged
    for number in range(150):
        clock.advance(seconds=1)
        state.open_issue(REPO, f"new {number}")
    later = [page async for page in github.issues(REPO, cursor=cursor, known_pages=known)]
    titles = {issue.title for page in later for issue in page.items}
    assert titles >= {f"new {number}" for number in range(150)}


async def test_since_leaves_older_changes_out(state, clock, github) -> None:
    state.open_issue(REPO, "old")
    clock.advance(hours=1)
    state.open_issue(REPO, "new")
    pages = [page async for page in github.issues(REPO, since=clock.now)]
    assert [issue.title for page in pages for issue in page.items] == ["new"]


async def test_a_file_is_read_once_and_then_only_asked_after(state, github) -> None:
    assert await github.contents(REPO, ".github/issue-tagger.yml") is None
    state.push_file(REPO, ".github/issue-tagger.yml", "version: 1\n")
    found = await github.contents(REPO, ".github/issue-tagger.yml")
    assert found.text == "version: 1\n"
    again = await github.contents(REPO, ".github/issue-tagger.yml", etag=found.etag)
    assert again.unchanged
    state.push_file(REPO, ".github/issue-tagger.yml", "version: 2\n")
    changed = await github.contents(REPO, ".github/issue-tagger.yml", etag=found.etag)
    assert changed.text == "version: 2\n"


async def test_a_suggestion_waits_until_a_person_approves_it(state, github) -> None:
    state.open_issue(REPO, "t", "b")
    assert await github.accepts_suggestions(REPO, 1)
    await github.suggest_labels(REPO, 1, [LabelSuggestion("bug", "r" * 300, "high")])
    (pending,) = await github.suggestions(REPO, 1)
    assert (pending.state, pending.confidence, len(pending.rationale)) == ("pending", "HIGH", 280)
    assert (await github.issue(REPO, 1)).label_names == set()
    state.approve(REPO, 1, pending.id, by="ada")
    (approved,) = await github.suggestions(REPO, 1)
    assert approved.state == "approved"
    assert approved.resolved_by == state.actor("ada").id
    assert (await github.issue(REPO, 1)).label_names == {"bug"}


async def test_a_dismissal_tells_nobody(state, github) -> None:
    state.open_issue(REPO, "t", "b")
    await github.suggest_labels(REPO, 1, [LabelSuggestion("bug")])
    told = len(state.deliveries)
    (pending,) = await github.suggestions(REPO, 1)
    state.dismiss(REPO, 1, pending.id, by="ada")
    assert [one.state for one in await github.suggestions(REPO, 1)] == ["dismissed"]
    assert len(state.deliveries) == told


@pytest.mark.parametrize("mode", [SuggestionMode.REFUSED, SuggestionMode.APPLIED])
async def test_a_repository_without_suggestions_says_so(state, github, mode) -> None:
    state.repository(REPO).suggestions = mode
    state.open_issue(REPO, "t", "b")
    assert not await github.accepts_suggestions(REPO, 1)


async def test_rights_are_told_and_enforced(state, github) -> None:
    state.set_role(REPO, "tess", "triage")
    assert (await github.permission(REPO, "tess")).reaches("triage")
    assert not (await github.permission(REPO, "tagger-nobody")).reaches("triage")
    state.set_role(REPO, "tagger-machine", "read")
    state.open_issue(REPO, "t", "b")
    with pytest.raises(Forbidden):
        await github.add_labels(REPO, 1, ["bug"])


async def test_what_is_not_there_is_told_apart(state, github) -> None:
    state.open_issue(REPO, "t", "b")
    state.delete_issue(REPO, 1, by="ada")
    with pytest.raises(Gone):
        await github.issue(REPO, 1)
    with pytest.raises(NotFound):
        await github.issue(REPO, 2)
    with pytest.raises(Unauthorized):
        await github.speaking_as(TokenAuth("wrong")).issue(REPO, 1)


async def test_a_renamed_repository_is_followed_by_reads_alone(state, github) -> None:
    state.open_issue(REPO, "t", "b")
    state.rename_repository(REPO, "workshop", by="ada")
    assert (await github.issue(REPO, 1)).title == "t"
    with pytest.raises(Moved):
        await github.add_labels(REPO, 1, ["bug"])
    assert state.issue("octo/workshop", 1).label_names == []


async def test_events_of_a_repository_are_told_newest_first(state, clock, github) -> None:
    for number in (1, 2):
        clock.advance(seconds=1)
        state.open_issue(REPO, f"issue {number}", labels=["bug"])
    events = [one async for page in github.issue_events(REPO) for one in page.items]
    assert [one.issue.number for one in events] == [2, 1]


async def test_an_app_acts_through_its_installation(state, clock, github) -> None:
    app = state.create_app("issue-tagger")
    installation = state.install(app, REPO)
    as_app = AppAuth(app.id, app.private_key, clock)
    assert (await github.speaking_as(as_app).app()).bot_login == "issue-tagger[bot]"
    found = await github.speaking_as(as_app).repository_installation(REPO)
    assert found.id == installation.id
    bot = github.speaking_as(InstallationAuth(as_app, found.id, URL))
    state.open_issue(REPO, "t", "b")
    await bot.add_labels(REPO, 1, ["bug"])
    (event,) = await bot.timeline(REPO, 1)
    assert event.actor.login == "issue-tagger[bot]"
    assert event.actor.is_bot
    repositories = [one async for page in bot.installation_repositories() for one in page.items]
    assert [one.full_name for one in repositories] == [REPO]


async def test_an_app_without_a_permission_is_refused(state, clock, github) -> None:
    app = state.create_app("issue-tagger")
    installation = state.install(app, REPO)
    installation.permissions["checks"] = "read"
    bot = github.speaking_as(
        InstallationAuth(AppAuth(app.id, app.private_key, clock), installation.id, URL)
    )
    with pytest.raises(Forbidden):
        await bot.create_check_run(REPO, "config", "0" * 40, conclusion="failure")


async def test_a_check_run_is_created_and_updated(state, clock, github) -> None:
    app = state.create_app("issue-tagger")
    installation = state.install(app, REPO)
    bot = github.speaking_as(
        InstallationAuth(AppAuth(app.id, app.private_key, clock), installation.id, URL)
    )
    head = await bot.head(REPO, "main")
    run = await bot.create_check_run(REPO, "config", head)
    done = await bot.update_check_run(
        REPO, run.id, conclusion="failure", output={"title": "t", "summary": "s"}
    )
    assert (done.status, done.conclusion, done.head_sha) == ("completed", "failure", head)


async def test_a_manifest_code_is_good_for_one_swap(state, github) -> None:
    app = state.create_app("fresh")
    code = state.offer_manifest(app)
    new = await github.speaking_as(None).convert_manifest(code)
    assert new.pem.get_secret_value() == app.private_key
    assert app.private_key not in repr(new)
    with pytest.raises(NotFound) as refused:
        await github.convert_manifest(code)
    assert code not in str(refused.value)
