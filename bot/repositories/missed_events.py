"""Events that were never delivered, told from what is stored, and put into the inbox late.

An issue that was opened while nobody listened, and a label that arrived beside the bot's fallback
label, are treated as if their webhooks had come. The deliveries made up for them have ids that
say of what they are, so that each is made up for once; and an `opened` that GitHub delivers after
all is then ignored (`bot.receiving.deliveries`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot.configuration.intake_rules import fallback_label_in
from bot.receiving.deliveries import keep, made_up_id, understand
from bot.repositories import presence
from store.engine.text import name_key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from store.records import Repository, StoredIssue
    from store.unit_of_work import UnitOfWork

SWEPT = "swept"
"""The name in `Repository.cursors`."""
GRACE = timedelta(minutes=10)
"""A younger issue is left to the next sweep: its webhook may still be under way."""
OVERLAP = timedelta(hours=1)
"""Looked at again, because GitHub's clock and ours may differ."""


def make_up(work: UnitOfWork, repository: Repository, own_login: str | None, now: datetime) -> int:
    """Put what was missed since the last sweep into the inbox; returns how much it was.

    The first sweep looks back to the first webhook that came: what was there before the bot was
    is nobody's mistake.
    """
    stored = repository.cursors.get(SWEPT)
    if stored is None:
        begun = work.inbox.first_received(repository.full_name) or now
        since = begun
    else:
        begun = datetime.fromisoformat(stored["begun"])
        since = max(begun, datetime.fromisoformat(stored["until"]) - OVERLAP)
    until = now - GRACE
    missed = 0
    for guid, payload in (
        *_opened(work, repository, since, until),
        *_labelled(work, repository),
    ):
        missed += keep(work, understand(guid, "issues", payload, now), own_login)
    place = {"begun": begun.isoformat(), "until": until.isoformat()}
    work.repositories.set_cursor(repository.id, SWEPT, place)
    return missed


def _opened(
    work: UnitOfWork, repository: Repository, since: datetime, until: datetime
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Issues of whose opening no delivery told while the bot was there, the oldest first."""
    if repository.github_id is None:
        return
    for issue in reversed(list(work.issues.walk(repository.id, created_since=since))):
        webhooks = work.inbox.told(
            repository.full_name, issue.number, "opened", besides=presence.REASONS
        )
        if (
            issue.created_at > until
            or webhooks
            or work.predictions.latest(repository.id, issue.number)
        ):
            continue
        guid = made_up_id(repository.github_id, issue.number, "opened")
        yield guid, _payload("opened", repository, issue)


def _labelled(work: UnitOfWork, repository: Repository) -> Iterator[tuple[str, dict[str, Any]]]:
    """Issues where the bot's fallback label stands although another label has arrived."""
    fallback = name_key(fallback_label_in(work, repository) or "")
    if not fallback or repository.github_id is None:
        return
    for write in work.writes.list(repository_id=repository.id, state="written", form="label"):
        if name_key(write.label) != fallback:
            continue
        issue = work.issues.get(repository.id, write.number)
        if issue.target != "issues":  # whose webhooks are others
            continue
        others = [name for name in issue.labels if name_key(name) != fallback]
        if len(others) == len(issue.labels) or not others:
            continue
        guid = made_up_id(repository.github_id, issue.number, f"labeled-{write.id}")
        yield guid, _payload("labeled", repository, issue) | {"label": {"name": others[0]}}


def _payload(action: str, repository: Repository, issue: StoredIssue) -> dict[str, Any]:
    """What GitHub's webhook would have said, as far as anybody here reads it."""
    login = issue.author or ""
    user = {"login": login, "type": "Bot" if login.endswith("[bot]") else "User"}
    rendered = {
        "number": issue.number,
        "title": issue.title,
        "body": issue.body,
        "state": issue.state,
        "user": user,
        "author_association": issue.author_association or "",
        "labels": [{"name": name} for name in issue.labels],
        "created_at": issue.created_at.isoformat(),
        "updated_at": issue.updated_at.isoformat() if issue.updated_at else None,
        "closed_at": issue.closed_at.isoformat() if issue.closed_at else None,
    }
    payload = {"action": action, "issue": rendered, "repository": _repository(repository)}
    return payload | ({"sender": user} if action == "opened" else {})


def _repository(repository: Repository) -> dict[str, Any]:
    return {"full_name": repository.full_name, "id": repository.github_id}
