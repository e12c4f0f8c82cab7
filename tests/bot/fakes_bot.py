"""Fakes of the service's neighbours: a release that reads labels off a title, a clock that waits.

The GitHub beside them is `bot.simulator`, which is fake enough.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bot.github.signature import sign
from bot.simulator.webhooks import body_of, headers_of
from store.records import ReleaseRecord
from tagger.domain.decision import LabelDecision, Neighbour, Policy
from tagger.errors import ReleaseDamaged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from bot.simulator.records import Delivery
    from store.database import Store
    from store.records import TargetKind
    from tagger.domain.issue import IssueText

REPO = "acme/rocket"
SECRET = "it's a secret to everybody"
TOKEN = "ghp_0123456789abcdefghij"
BOT = "tagger-machine"
LABELS = ("bug", "feature", "docs", "question")


class Clock:
    """Time that moves when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **by: float) -> None:
        self.now += timedelta(**by)


def decision(name: str, score: float = 0.95, verdict: str | None = None) -> LabelDecision:
    """A decision with a cut of 0.8; below it the label is abstained from."""
    said = verdict or ("apply" if score >= 0.8 else "abstain")
    near = (Neighbour(1, "an old one", (name,), 0.9),)
    return LabelDecision(name, score, 0.8, said, "words", {"words": score}, near)  # type: ignore[arg-type]


class WordRelease:
    """Applies each label whose name is a word of the title; `name?` in the title suggests it.

    A name of several words, such as a type's, is the word without blanks: `type=Bug`.

    :ivar policies: what it was asked with.
    :ivar warmed_up: how often it was made ready.
    :ivar learned: by number, title and labels of issues learned since it was opened.
    :ivar before_tagging: called with each issue's title, to let something happen meanwhile.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self.names = tuple(labels)
        self.policies: list[Policy] = []
        self.texts: list[IssueText] = []
        self.warmed_up = 0
        self.before_tagging: Callable[[str], None] = lambda title: None
        self.learned: dict[int, tuple[str, tuple[str, ...]]] = {}

    def warm_up(self) -> None:
        self.warmed_up += 1

    def tag(
        self, issues: Sequence[IssueText], policy: Policy | None = None
    ) -> list[tuple[LabelDecision, ...]]:
        self.policies.append(policy or Policy())
        self.texts.extend(issues)
        for issue in issues:
            self.before_tagging(issue.title)
        return [tuple(self._decide(issue.title.split())) for issue in issues]

    def learn(self, number: int, issue: IssueText, labels: Sequence[str]) -> None:
        self.learned[number] = issue.title, tuple(labels)

    def knows(self, number: int) -> bool:
        return number in self.learned

    def _decide(self, words: Sequence[str]) -> list[LabelDecision]:
        found = [
            decision(name, 0.95) if name.replace(" ", "") in words
            else decision(name, 0.85, "suggest") if f"{name.replace(' ', '')}?" in words
            else decision(name, 0.05)
            for name in self.names
        ]  # fmt: skip
        return sorted(found, key=lambda one: -one.score)


class FakeReleases:
    """Opens folders as the releases that were put there; counts how often.

    :ivar damaged: folders that are refused.
    """

    def __init__(self) -> None:
        self.by_folder: dict[str, WordRelease] = {}
        self.damaged: set[str] = set()
        self.opened: list[str] = []

    def __call__(self, folder: Path) -> WordRelease:
        self.opened.append(folder.name)
        if folder.name in self.damaged:
            raise ReleaseDamaged(folder, "a file is missing")
        return self.by_folder[folder.name]

    def promote(
        self,
        store: Store,
        release_id: str,
        labels: Sequence[str],
        now: datetime,
        repo: str = REPO,
        target: TargetKind = "issues",
    ) -> WordRelease:
        """Put a release there and let it serve."""
        self.by_folder[release_id] = WordRelease(labels)
        with store.begin() as work:
            repository = work.repositories.get_or_create(repo, now=now)
            manifest = {"labels": list(labels)}
            record = ReleaseRecord(release_id, now, release_id, "digest", manifest, target=target)
            work.releases.add(repository.id, record)
            work.releases.promote(repository.id, release_id, now)
        return self.by_folder[release_id]


def signed(delivery: Delivery, secret: str = SECRET) -> tuple[bytes, Mapping[str, str]]:
    """Body and headers as GitHub would send them."""
    body = body_of(delivery)
    return body, headers_of(delivery, body, secret)


def signed_body(
    body: bytes, event: str = "issues", guid: str = "g-1", secret: str = SECRET
) -> Mapping[str, str]:
    """Headers for any bytes."""
    return {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": guid,
        "X-Hub-Signature-256": sign(body, secret),
    }


def with_guid(delivery: Delivery, guid: str) -> Delivery:
    return replace(delivery, guid=guid)
