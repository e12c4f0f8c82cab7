"""The audit as a list to go through: worked out aside, decided on like everything else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.api.learning_documents import AuditDocument, AuditItemDocument, ConfusedDocument
from bot.api.refusals import ApiRefusal
from store.engine.text import name_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Literal

    from bot.api.api_context import ApiContext
    from bot.evaluating.auditing import Audit
    from bot.signin.viewers import Viewer
    from store.records import Repository, StoredDecision

SHOWN = 60


async def audited(
    api: ApiContext, viewer: Viewer, name: str, *, anew: bool = False
) -> AuditDocument:
    """Likely wrong and missing labels, the surest first, at most a few of each label."""
    async with api.opened(viewer, name) as repository:
        key = "audit", repository.id
        if anew:
            api.background.forget(key)

        def find(progress: Any) -> Any:
            from bot.evaluating.auditing import audit

            resources = api.container.resources(progress, tuning=False)
            return audit(api.store, resources, repository.full_name, now=api.now())

        aside = await asyncio.to_thread(api.background.ask, key, find)
        if aside.state == "failed":
            raise ApiRefusal(409, aside.error)
        if aside.state == "running":
            return AuditDocument(repository=repository.full_name, ready=False, step=aside.step)
        return await asyncio.to_thread(_document, api, repository, aside.result, aside.ended)


def _document(api: ApiContext, repository: Repository, audit: Audit, at: Any) -> AuditDocument:
    from bot.evaluating.auditing import most_informative

    suspects = most_informative(audit.suspects, SHOWN)
    with api.store.read() as work:
        decided = work.decisions.of_issues(repository.id, {suspect.number for suspect in suspects})
    return AuditDocument(
        repository=repository.full_name,
        ready=True,
        at=at,
        items=[
            AuditItemDocument(
                number=suspect.number,
                title=audit.titles[suspect.number],
                label=suspect.label,
                kind=suspect.kind,
                suspicion=suspect.suspicion,
                standing=_standing(decided, suspect.number, suspect.label),
                decided_by=_decided_by(decided, suspect.number, suspect.label),
            )
            for suspect in suspects
        ],
        total=len(audit.suspects),
        confused=[ConfusedDocument.model_validate(pair) for pair in audit.confused[:SHOWN]],
    )


def _standing(
    decided: Mapping[tuple[int, str], StoredDecision], number: int, label: str
) -> Literal["open", "approved", "dismissed"]:
    decision = decided.get((number, name_key(label)))
    if decision is None or decision.verdict == "skipped":
        return "open"
    return decision.verdict


def _decided_by(decided: Mapping[tuple[int, str], StoredDecision], number: int, label: str) -> str:
    decision = decided.get((number, name_key(label)))
    return decision.actor if decision else ""
