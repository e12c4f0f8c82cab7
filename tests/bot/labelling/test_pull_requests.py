"""Pull requests, where the file wants them labelled: by their own release, words and files."""

from __future__ import annotations

import pytest
from fakes_bot import BOT, LABELS, REPO

from bot.labelling.suggesting import MARK
from bot.repositories.syncing import sync
from bot.simulator.faults import Fault
from bot.simulator.records import AutomationLevel

pytestmark = pytest.mark.anyio

BOTH = "mode: apply\ndelay_seconds: 0\ntargets: [issues, pull_requests]\n"


@pytest.fixture
async def both(bench):
    """A repository whose file has been read, and that has a release for pull requests as well."""
    bench.configure(BOTH)
    await bench.deliver(bench.github.open_issue(REPO, "words"))  # so that the file is known
    bench.of_pull_requests = bench.releases.promote(
        bench.installation.store, "p1", LABELS, bench.clock(), target="pull_requests"
    )
    return bench


def opened(bench, title: str, **given):
    return bench.github.open_issue(REPO, title, pull_request=True, **given)


def stored(bench, number: int):
    with bench.installation.store.read() as work:
        return work.issues.get(work.repositories.get(REPO).id, number)


async def test_nothing_is_done_about_them_unless_the_file_says_so(bench) -> None:
    bench.configure("mode: apply\ndelay_seconds: 0\n")
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    assert (await bench.deliver(opened(bench, "a bug"))).state == "ignored"
    assert not [path for path in bench.asked() if path.endswith("/files")]


async def test_issues_can_be_left_out_as_well(bench) -> None:
    bench.configure("mode: apply\ndelay_seconds: 0\ntargets: [pull_requests]\n")
    assert (await bench.deliver(bench.github.open_issue(REPO, "a bug"))).state == "ignored"


async def test_they_are_read_by_title_body_and_files(both) -> None:
    delivery = await both.deliver(
        opened(both, "a bug", body="mended", paths=["docs/how_to.md", "src/web/page.py"])
    )
    assert (delivery.state, both.labels(2)) == ("done", ["bug"])
    (text,) = both.of_pull_requests.texts
    assert text.title == "a bug"
    assert text.body.split() == ["mended", "docs", "how", "to", "md", "src", "web", "page", "py"]
    assert stored(both, 2).paths == ("docs/how_to.md", "src/web/page.py")
    assert [prediction.release for prediction in both.predictions()].count("p1") == 1


async def test_files_are_read_once_and_bounded(both) -> None:
    paths = [f"src/{'deep/' * 80}file{number}.py" for number in range(150)]
    await both.deliver(opened(both, "nothing", paths=paths))
    await both.deliver(both.github.edit_issue(REPO, 2, by="ada", title="a bug"))
    kept = stored(both, 2).paths
    assert (len(kept), {len(path) for path in kept}) == (100, {200})
    assert kept[0].endswith("deep/file0.py")
    assert len([path for path in both.asked() if path.endswith("/files")]) == 1


async def test_a_token_that_may_not_read_files_goes_by_words(both) -> None:
    both.github.fail_next(Fault(403, {}, "Resource not accessible", method="GET", path="/files"))
    await both.deliver(opened(both, "a bug", paths=["a.py"]))
    assert both.labels(2) == ["bug"]


async def test_without_a_release_of_their_own_they_are_left_alone(bench) -> None:
    bench.configure(BOTH)
    await bench.deliver(bench.github.open_issue(REPO, "words"))
    assert (await bench.deliver(opened(bench, "a bug"))).state == "ignored"
    assert bench.labels(2) == []


async def test_labels_go_by_name_and_suggestions_into_a_comment(both) -> None:
    """GitHub's own suggestions, and reasons beside a label, are for issues alone."""
    both.github.repository(REPO).automation = AutomationLevel.FULL_CONTROL
    await both.deliver(opened(both, "bug and docs?"))
    assert both.labels(2) == ["bug"]
    (comment,) = both.github.issue(REPO, 2).comments
    assert comment.body.startswith(f"{MARK}\nLabels that may fit this pull request")
    sent = [seen.json for seen in both.github.requests if seen.path.endswith("/2/labels")]
    assert sent == [{"labels": ["bug"]}]
    await both.deliver(both.github.open_issue(REPO, "a docs?"))  # issues have lost nothing by it
    assert [each.label.name for each in both.github.suggestions(REPO, 3)] == ["docs"]


async def test_what_a_person_took_off_stays_off(both) -> None:
    await both.deliver(opened(both, "a bug"))
    both.receive_all()
    await both.work()
    await both.deliver(both.github.remove_label(REPO, 2, "bug", by="ada"))
    await both.deliver(both.github.edit_issue(REPO, 2, by="ada", title="still a bug"))
    assert both.labels(2) == []
    with both.installation.store.read() as work:
        history = work.labels.history(work.repositories.get(REPO).id, 2)
    assert [(event.action, event.actor_kind) for event in history][-1] == ("removed", "person")


async def test_its_own_webhooks_about_them_are_its_own(both) -> None:
    await both.deliver(opened(both, "a bug"))
    (labeled,) = [each for each in both.github.deliveries if each.payload["action"] == "labeled"]
    assert (labeled.event, labeled.payload["sender"]["login"]) == ("pull_request", BOT)
    assert (await both.deliver(labeled)).state == "ignored"
    with both.installation.store.read() as work:
        repository = work.repositories.get(REPO)
        assert {e.actor_kind for e in work.labels.history(repository.id, 2)} == {"self"}


async def test_a_rival_that_a_person_sets_makes_the_bots_label_step_aside(both) -> None:
    both.configure(BOTH + "exclusive: [[bug, feature]]\n")
    both.receive(
        both.github.push_file(
            REPO, ".github/issue-tagger.yml", BOTH + "exclusive: [[bug, feature]]\n"
        )
    )
    await both.work()
    await both.deliver(opened(both, "a bug"))
    (labeled,) = both.github.add_labels(REPO, 2, ["feature"], by="ada")
    await both.deliver(labeled)
    assert both.labels(2) == ["feature"]


async def test_sync_reads_the_files_of_labelled_ones(both) -> None:
    opened(both, "labelled", labels=["bug"], paths=["src/a.py"])
    opened(both, "not labelled", paths=["src/b.py"])
    access = both.context.access
    await sync(both.installation.store, access, REPO, now=both.clock())
    assert (stored(both, 2).paths, stored(both, 3).paths) == (("src/a.py",), None)
    await sync(both.installation.store, access, REPO, now=both.clock())
    assert len([path for path in both.asked() if path.endswith("/files")]) == 1


async def test_each_kind_learns_from_its_own(both) -> None:
    await both.deliver(opened(both, "a change"))
    (labeled,) = both.github.add_labels(REPO, 2, ["docs"], by="ada")
    both.receive(labeled)
    await both.deliver(both.github.open_issue(REPO, "another"))
    await both.deliver(opened(both, "one more"))
    assert both.of_pull_requests.learned == {2: ("a change", ("docs",))}
    assert both.release.learned == {}
