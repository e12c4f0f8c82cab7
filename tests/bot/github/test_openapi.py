"""Every request that the client can send is one that GitHub's OpenAPI description knows.

The simulator refuses anything else with 422, so it is enough to send each request once.
"""

from __future__ import annotations

import inspect
from datetime import UTC, datetime

import pytest

from bot.github.access import AppAccess
from bot.github.api_version import API_VERSION
from bot.github.auth import AppAuth, TokenAuth
from bot.github.client import GitHubClient
from bot.github.errors import Invalid, NotFound
from bot.github.exchange import Request
from bot.github.labels import LabelSuggestion
from bot.simulator.documented import documented_version, read_operations, schema_problems
from bot.simulator.state import GitHubState
from bot.simulator.transport import SimulatorTransport

pytestmark = pytest.mark.anyio
REPO = "octo/lab"
URL = "http://github.test"
NOT_REQUESTS = {"open", "speaking_as", "labelling", "aclose"}
OF_DISCUSSIONS = {"discussion", "discussions", "label_discussion", "unlabel_discussion"}
"""By GraphQL, of which the description says nothing (see `test_graphql`)."""


async def everything(pages) -> list[object]:
    return [item async for page in pages for item in page.items]


async def as_installation(github: GitHubClient, state: GitHubState) -> set[str]:
    """Send everything that an installation sends; returns the names of the methods used."""
    await github.repository(REPO)
    await github.labels(REPO)
    await everything(github.label_pages(REPO))
    issue = await github.create_issue(REPO, "title", "body", ["bug"])
    number = issue.number
    await github.issue(REPO, number)
    await everything(github.issues(REPO, since=datetime(2020, 1, 1, tzinfo=UTC), state="open"))
    await github.edit_issue(REPO, number, title="t", body="b", state="closed")
    state.open_issue(REPO, "a change", pull_request=True, paths=["a.py"])
    assert await github.changed_paths(REPO, number + 1) == ("a.py",)
    await github.timeline(REPO, number)
    await everything(github.issue_events(REPO))
    comment = await github.comment(REPO, number, "hello")
    await github.edit_comment(REPO, comment.id, "hello again")
    await github.comments(REPO, number)
    await everything(github.repository_comments(REPO))
    await github.add_labels(REPO, number, ["one", "two"])
    await github.remove_label(REPO, number, "one")
    assert await github.is_in_use(REPO, "two")
    await github.delete_label(REPO, "one")
    await github.accepts_suggestions(REPO, number)
    await github.suggest_labels(REPO, number, [LabelSuggestion("three", "because", "low")])
    await github.suggest_labels(REPO, number, [LabelSuggestion("four", "because", "low")])
    pending = await github.suggestions(REPO, number, state="pending")
    for suggestion, approve in zip(pending, (True, False), strict=True):
        await github.answer_suggestion(REPO, number, suggestion.id, approve=approve)
    assert await github.suggested_assignees(REPO, number) == ()
    await github.suggest_assignee(REPO, number, "ada", "because")
    await github.issue_types(REPO)
    assert [field.targets for field in await github.issue_fields(REPO)] == [
        ("field = Priority: High",),
        (),
    ]
    await github.set_type(REPO, number, "Bug")
    await github.suggest_type(REPO, number, LabelSuggestion("Task", "because", "low"))
    await github.set_type(REPO, number, None)
    await github.contents(REPO, ".github/issue-tagger.yml")
    await github.permission(REPO, "octo")
    run = await github.create_check_run(REPO, "config", await github.head(REPO, "main"))
    place = {"path": "f", "start_line": 1, "end_line": 1}
    annotation = {**place, "annotation_level": "failure", "message": "unknown key"}
    output = {"title": "t", "summary": "s", "annotations": [annotation]}
    await github.update_check_run(REPO, run.id, conclusion="failure", output=output)
    await everything(github.installation_repositories())
    return {
        "repository", "labels", "label_pages", "create_issue", "issue", "issues", "edit_issue",
        "timeline", "issue_events", "comment", "edit_comment", "comments", "add_labels",
        "remove_label", "accepts_suggestions", "suggest_labels", "suggestions", "contents",
        "permission", "create_check_run", "head", "update_check_run", "installation_repositories",
        "is_in_use", "changed_paths", "delete_label", "answer_suggestion", "issue_types",
        "set_type", "suggest_type", "issue_fields", "suggested_assignees", "suggest_assignee",
        "repository_comments",
    }  # fmt: skip


async def as_app(github: GitHubClient, state: GitHubState, code: str) -> set[str]:
    """Send everything that the App itself or a person's token sends."""
    await github.app()
    await github.installations()
    await github.repository_installation(REPO)
    state.deliveries[0].status_code = 500
    (failed,) = await everything(github.hook_deliveries(status="failure"))
    await github.hook_delivery(failed.id)
    await github.redeliver(failed.id)
    await github.speaking_as(TokenAuth("secret")).me()
    state.add_token("signed-in", "octo")
    state.user_tokens["signed-in"] = next(iter(state.apps.values()))
    person = github.speaking_as(TokenAuth("signed-in"))
    (installation,) = await person.my_installations()
    (repository,) = await person.my_repositories(installation.id)
    assert repository.allows("admin")
    await github.speaking_as(None).convert_manifest(code)
    return {
        "app", "installations", "repository_installation", "hook_deliveries", "hook_delivery",
        "redeliver", "me", "convert_manifest", "my_installations", "my_repositories",
    }  # fmt: skip


@pytest.fixture
def state() -> GitHubState:
    state = GitHubState(url=URL)
    state.add_repository(REPO)
    state.add_issue_type(REPO, "Bug")
    state.add_issue_type(REPO, "Task")
    state.add_issue_field("octo", "Priority", ["High"])
    state.add_issue_field("octo", "Effort", [], "number")
    state.add_token("secret", "machine")
    return state


async def test_every_request_of_the_client_is_documented(state) -> None:
    app = state.create_app("issue-tagger")
    app.permissions["pull_requests"] = "read"
    state.install(app, REPO)
    transport = SimulatorTransport(state)
    async with GitHubClient.open(URL, transport=transport) as github:
        access = AppAccess(github, AppAuth(app.id, app.private_key), URL)
        sent = await as_installation(await access.client(REPO), state)
        sent |= await as_app(access.as_app, state, state.offer_manifest(app))
    methods = {
        name for name, _ in inspect.getmembers(GitHubClient, inspect.isfunction)
        if not name.startswith("_")
    }  # fmt: skip
    assert sent == methods - NOT_REQUESTS - OF_DISCUSSIONS
    assert not [seen for seen in state.requests if seen.status == 422]
    assert _operations_used(state) == set(read_operations())


def test_requests_are_checked_against_the_version_that_is_spoken() -> None:
    assert documented_version() == API_VERSION


def _operations_used(state: GitHubState) -> set[str]:
    """The documented operations that the requests seen stand for."""
    patterns = {name: name.replace("{}", "*") for name in read_operations()}
    return {
        min(
            (
                name
                for name, pattern in patterns.items()
                if _matches(seen.method, seen.path, pattern)
            ),
            key=lambda name: name.count("{}"),
        )
        for seen in state.requests
    }


def _matches(method: str, path: str, pattern: str) -> bool:
    wanted_method, wanted = pattern.split(" ", 1)
    ends_open = wanted.endswith("contents/*")
    parts, expected = path.split("/"), wanted.split("/")
    if ends_open:
        parts = parts[: len(expected)]
    same_length = len(parts) == len(expected)
    return (
        method == wanted_method
        and same_length
        and all(one in {"*", part} for part, one in zip(parts, expected, strict=True))
    )


@pytest.mark.parametrize(
    ("method", "path", "params", "json"),
    [
        ("GET", "issues", {"colour": "red"}, None),
        ("GET", "issues", {"state": "ajar"}, None),
        ("GET", "issues", {"since": "yesterday"}, None),
        ("GET", "issues", {"page": "two"}, None),
        ("POST", "issues", None, {"body": "no title"}),
        ("POST", "issues", None, None),
        ("POST", "issues/1/labels", None, {"labels": []}),
        ("POST", "issues/1/labels", None, {"labels": [{"rationale": "no name"}]}),
        ("POST", "issues/1/labels", None, {"labels": [{"name": "a", "confidence": "HIGH"}]}),
        ("POST", "issues/1/labels", None, {"labels": [7]}),
        ("PATCH", "issues/1", None, {"title": "t", "colour": "red"}),
        ("PATCH", "issues/1", None, {"title": "t", "assignee": "ada"}),
        ("POST", "check-runs", None, {"name": "n", "head_sha": "0", "status": "done"}),
    ],
)
async def test_what_github_does_not_document_is_refused(state, method, path, params, json) -> None:
    state.open_issue(REPO, "t")
    async with GitHubClient.open(URL, transport=SimulatorTransport(state)) as github:
        request = Request(method, f"/repos/{REPO}/{path}", params=params, json=json)
        with pytest.raises(Invalid, match="OpenAPI"):
            await github._connection.send(request)


async def test_a_path_that_github_does_not_have_is_not_found(state) -> None:
    async with GitHubClient.open(URL, transport=SimulatorTransport(state)) as github:
        with pytest.raises(NotFound):
            await github._connection.send(Request("GET", "/repositories/1/secrets"))


@pytest.mark.parametrize(
    ("value", "schema", "problem"),
    [
        (True, {"type": "integer"}, "body is no integer"),
        (1, {"type": "number"}, None),
        (None, {"type": "string"}, "body is null"),
        (None, {"type": "string", "nullable": True}, None),
        ({"a": 1}, {"type": "object"}, None),
        ({"a": {"b": 1}}, {"properties": {"a": {"type": "string"}}}, "body.a is no string"),
        ("long", {"maxLength": 3}, "body is longer than 3"),
        ([1, 2], {"items": {"type": "integer"}, "maxItems": 1}, "body has 2 items"),
        ("x", {"oneOf": [{"type": "integer"}, {"type": "string"}]}, None),
        ("x", {"oneOf": [{"type": "integer"}]}, "body is no integer"),
    ],
)
def test_a_schema_is_held_against_a_value(value, schema, problem) -> None:
    assert schema_problems(value, schema) == ([problem] if problem else [])
