"""Push and pull: the same release comes back, whole, pinned, without texts."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from hashed_words import HashedWords
from huggingface_hub import ModelCard
from local_hub import TOKEN, HubState, hub_running

from bot.errors import CommandRefused
from bot.learning.retraining import RetrainRequest, retrain
from bot.learning.workspace import Workspace
from bot.model_serving.release_archive import ReleaseArchive
from bot.sharing.hub import HubRefused, ModelHub
from bot.sharing.pulling import PullRequest, pull
from bot.sharing.pushing import PushRequest, push
from store.records import IssueRecord
from tagger.domain.issue import IssueText
from tagger.domain.strategy import Resources
from tagger.errors import HoldsTexts, ReleaseDamaged
from tagger.releases.release import Release

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.sharing.pulling import Pulled
    from store.database import Store
    from store.records import StoredRelease

# The library sends its lists of files in a manner that its own HTTP library gives up.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=")

REPO, MODEL = "octo/school", "octo/labels"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
CHEAP = ("zero-shot", "linear", "naive-bayes", "knn")
NEW = [IssueText.of("crash on start", "it broke"), IssueText.of("typo in the guide", "")]


@pytest.fixture(autouse=True)
def _hub_library(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    for part in ("file_download", "utils._http"):  # they wait before they try again
        monkeypatch.setattr(f"huggingface_hub.{part}.time", SimpleNamespace(sleep=lambda _: None))


@pytest.fixture
def local_hub() -> Iterator[HubState]:
    with hub_running() as state:
        yield state


@pytest.fixture
def hub(local_hub: HubState) -> ModelHub:
    return ModelHub(local_hub.url)


@pytest.fixture
def resources() -> Resources:
    encoder = HashedWords()
    return Resources(encoder=lambda: encoder, device="cpu")


@pytest.fixture
def archive(tmp_path: Path) -> ReleaseArchive:
    return ReleaseArchive(tmp_path / "releases")


@pytest.fixture
def trained(store: Store, resources: Resources, archive: ReleaseArchive) -> Store:
    """A release that serves, of sixty issues."""
    words = {"bug": "crash broken error", "docs": "typo guide manual"}
    with store.begin() as work:
        repository = work.repositories.get_or_create(REPO, now=NOW)
        issues = [
            IssueRecord(n, f"{words[label]} {n}", f"secret{n}", (label,), NOW)
            for n, label in zip(range(1, 61), 30 * list(words), strict=False)
        ]
        work.issues.upsert(repository.id, issues)
    workspace = Workspace(store, resources, archive, NOW)
    retrain(workspace, RetrainRequest(REPO, strategies=CHEAP))
    return store


def active(store: Store, repository: str = REPO) -> StoredRelease:
    with store.read() as work:
        stored = work.releases.active(work.repositories.get(repository).id)
    assert stored is not None
    return stored


def opened(
    store: Store, archive: ReleaseArchive, resources: Resources, pulled: Pulled, to: str = REPO
):
    with store.read() as work:
        stored = work.releases.get(work.repositories.get(to).id, pulled.release)
    assert stored.state == "staged"
    return Release.open(archive.fetch(stored.location, stored.digest), resources)


def test_what_comes_back_predicts_and_explains_the_same(
    trained, archive, resources, local_hub, hub
) -> None:
    pushed = push(trained, archive, hub, PushRequest(REPO, MODEL))
    assert MODEL in local_hub.private
    pulled = pull(trained, archive, hub, PullRequest(REPO, MODEL, digest=pushed.digest), NOW)
    assert pulled.commit == pushed.sent.commit
    assert pulled.fresh
    stored = active(trained)
    mine = Release.open(archive.fetch(stored.location, stored.digest), resources)
    theirs = opened(trained, archive, resources, pulled)
    assert theirs.tag(NEW) == mine.tag(NEW)
    assert not pull(trained, archive, hub, PullRequest(REPO, MODEL), NOW).fresh


def test_no_text_of_an_issue_leaves_unless_it_is_to(trained, archive, local_hub, hub) -> None:
    push(trained, archive, hub, PushRequest(REPO, MODEL))
    assert not any(b"crash broken error 1" in body for body in local_hub.files(MODEL).values())
    push(trained, archive, hub, PushRequest(REPO, MODEL, with_texts=True))
    assert b"crash broken error 1" in local_hub.files(MODEL)["titles.json"]


def test_what_everyone_sees_is_written_only_where_that_was_said(
    trained, archive, local_hub, hub
) -> None:
    push(trained, archive, hub, PushRequest(REPO, MODEL, public=True))
    assert MODEL not in local_hub.private
    with pytest.raises(HubRefused, match="say --public"):
        push(trained, archive, hub, PushRequest(REPO, MODEL, with_texts=True))
    assert b"crash" not in local_hub.files(MODEL)["titles.json"]


def test_a_member_that_is_made_of_texts_stays_here(trained, archive, local_hub, hub) -> None:
    stored = active(trained)
    folder = archive.folder / stored.location / "chain" / "in-context"
    folder.mkdir()
    (folder / "in-context.json").write_text("{}")
    with pytest.raises(HoldsTexts, match="--with-texts"):
        push(trained, archive, hub, PushRequest(REPO, MODEL))
    assert not local_hub.commits


def test_the_card_is_written_from_the_release_and_passes_the_library_s_check(
    trained, archive, local_hub, hub, monkeypatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", local_hub.url)
    push(trained, archive, hub, PushRequest(REPO, MODEL, license="apache-2.0"))
    card = ModelCard(local_hub.files(MODEL)["README.md"].decode())
    card.validate()
    assert card.data.license == "apache-2.0"
    assert card.data.library_name == "issue-tagger"
    assert "| `bug` | " in card.content
    assert "secret" not in card.content
    with pytest.raises(HubRefused, match="license"):
        push(trained, archive, hub, PushRequest(REPO, MODEL, license="of my own"))


def test_what_was_there_before_goes(trained, archive, local_hub, hub) -> None:
    push(trained, archive, hub, PushRequest(REPO, MODEL))
    commit, files = local_hub.commits[MODEL][-1]
    local_hub.commits[MODEL][-1] = (commit, {**files, "chain/old.json": b"{}"})
    push(trained, archive, hub, PushRequest(REPO, MODEL))
    assert "chain/old.json" not in local_hub.files(MODEL)
    assert ".gitattributes" in local_hub.files(MODEL)


def test_a_revision_is_pinned_whatever_comes_later(trained, archive, hub) -> None:
    first = push(trained, archive, hub, PushRequest(REPO, MODEL))
    push(trained, archive, hub, PushRequest(REPO, MODEL, with_texts=True))
    pulled = pull(trained, archive, hub, PullRequest(REPO, MODEL, first.sent.commit), NOW)
    assert pulled.commit == first.sent.commit
    with pytest.raises(CommandRefused, match=f"expected {first.digest}"):
        pull(trained, archive, hub, PullRequest(REPO, MODEL, digest=first.digest), NOW)


def test_a_file_that_was_changed_is_refused_and_nothing_is_stored(
    trained, archive, local_hub, hub
) -> None:
    push(trained, archive, hub, PushRequest(REPO, MODEL))
    local_hub.files(MODEL)["chain/chain.json"] += b" "
    with pytest.raises(ReleaseDamaged, match=r"chain\.json has changed"):
        pull(trained, archive, hub, PullRequest(REPO, MODEL), NOW)
    with trained.read() as work:
        assert len(work.releases.list(work.repositories.get(REPO).id)) == 1
    assert not list(archive.folder.rglob(".pulled-*"))


@pytest.mark.parametrize("name", ["../../outside.json", "/etc/outside.json", ".cache/x.json"])
def test_a_manifest_cannot_name_files_outside(trained, archive, local_hub, hub, name) -> None:
    push(trained, archive, hub, PushRequest(REPO, MODEL))
    files = local_hub.files(MODEL)
    files["manifest.json"] = files["manifest.json"].replace(b"chain/chain.json", name.encode())
    with pytest.raises(CommandRefused, match="outside of the release"):
        pull(trained, archive, hub, PullRequest(REPO, MODEL), NOW)


def test_an_upload_that_was_broken_goes_on(trained, archive, local_hub, hub) -> None:
    local_hub.break_upload_after = 1
    with pytest.raises(HubRefused, match="goes on where this one ended"):
        push(trained, archive, hub, PushRequest(REPO, MODEL))
    assert len(local_hub.commits[MODEL]) == 1  # nothing but what made it
    across = list(local_hub.uploads)
    assert across
    local_hub.break_upload_after = None
    push(trained, archive, hub, PushRequest(REPO, MODEL))
    assert len(set(local_hub.uploads)) == len(local_hub.uploads) > len(across)


def test_a_download_that_was_broken_goes_on(trained, archive, resources, local_hub, hub) -> None:
    push(trained, archive, hub, PushRequest(REPO, MODEL))
    local_hub.broken = "titles.json"
    with pytest.raises(HubRefused, match="goes on where this one ended"):
        pull(trained, archive, hub, PullRequest(REPO, MODEL), NOW)
    assert len(local_hub.downloads) > 5
    local_hub.broken = None
    pulled = pull(trained, archive, hub, PullRequest(REPO, MODEL), NOW)
    assert len(set(local_hub.downloads)) == len(local_hub.downloads)
    opened(trained, archive, resources, pulled)


def test_another_repository_s_issues_are_evidence_and_never_precedents(
    trained, archive, resources, local_hub, hub
) -> None:
    push(trained, archive, hub, PushRequest(REPO, MODEL, with_texts=True))
    pulled = pull(trained, archive, hub, PullRequest("octo/other", MODEL), NOW)
    assert pulled.trained_on == REPO
    release = opened(trained, archive, resources, pulled, "octo/other")
    stored = active(trained)
    mine = Release.open(archive.fetch(stored.location, stored.digest), resources)
    decided = release.tag(NEW)
    assert [[each.score for each in row] for row in decided] == [
        [each.score for each in row] for row in mine.tag(NEW)
    ]
    assert not any(each.neighbours for row in decided for each in row)
    assert not release.knows(1)
    release.learn(1, NEW[0], ["bug"])
    numbers = {n.number for each in release.tag(NEW[:1])[0] for n in each.neighbours}
    assert numbers <= {1}


def test_without_the_right_token_the_reason_says_where_it_is_read(
    trained, archive, hub, monkeypatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrong")
    with pytest.raises(HubRefused, match="HF_TOKEN"):
        push(trained, archive, hub, PushRequest(REPO, MODEL))


def test_a_private_model_is_not_seen_without_the_token(trained, archive, hub, monkeypatch) -> None:
    push(trained, archive, hub, PushRequest(REPO, MODEL))
    monkeypatch.delenv("HF_TOKEN")
    with pytest.raises(HubRefused, match="HF_TOKEN"):
        pull(trained, archive, hub, PullRequest(REPO, MODEL), NOW)


@pytest.mark.parametrize("model", ["labels only", "a/b/c", "../x"])
def test_a_name_that_is_none_is_refused(trained, archive, hub, model) -> None:
    with pytest.raises(HubRefused, match="expected OWNER/MODEL"):
        push(trained, archive, hub, PushRequest(REPO, model))


def test_a_repository_without_a_release_has_nothing_to_push(store, archive, hub) -> None:
    with store.begin() as work:
        work.repositories.get_or_create(REPO, now=NOW)
    with pytest.raises(CommandRefused, match="issue-tagger retrain octo/school"):
        push(store, archive, hub, PushRequest(REPO, MODEL))
