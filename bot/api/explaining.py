"""Why, Try it, and What would it do: answers that look and change nothing."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.advising.advice_words import missing_in_words
from bot.api.documents import PrecedentDocument, ReviewItemDocument
from bot.api.learning_documents import (
    AdviceDocument,
    IssueDocument,
    LabelActDocument,
    LabelOwnersDocument,
    LabelReasonsDocument,
    NeighbourDocument,
    PathOwnersDocument,
    PredictionDocument,
    PreviewDocument,
    TriedDocument,
    VoteDocument,
)
from bot.api.refusals import ApiRefusal
from bot.labelling import tagging
from bot.reviewing.previewing import NEWEST, preview
from bot.reviewing.why import explain
from tagger.domain.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.api.api_context import ApiContext
    from bot.api.learning_documents import TryOrder
    from bot.reviewing.why import ExplainedIssue
    from bot.signin.viewers import Viewer
    from tagger.domain.decision import LabelDecision

NEIGHBOURS = 6


async def why(api: ApiContext, viewer: Viewer, name: str, number: int) -> IssueDocument:
    """Everything about one issue's labels."""
    async with api.opened(viewer, name) as repository:
        explained = await api.read(lambda work: explain(work, repository, number))
        issue = explained.issue
        address = api.address_of_issues(repository.full_name)
        return IssueDocument(
            repository=repository.full_name,
            number=issue.number,
            title=issue.title,
            body=issue.body,
            url=address.replace("{number}", str(issue.number)),
            state=issue.state,
            author=issue.author,
            created_at=issue.created_at,
            labels=list(issue.labels),
            items=[ReviewItemDocument.model_validate(item) for item in explained.items],
            reasons=_reasons(explained.decisions),
            history=[LabelActDocument.model_validate(act) for act in explained.history],
            predictions=[
                PredictionDocument.model_validate(prediction)
                for prediction in explained.predictions
            ],
            advice=_advice(explained),
        )


async def tried(api: ApiContext, viewer: Viewer, name: str, order: TryOrder) -> TriedDocument:
    """What the release says of a text; it is not kept."""
    async with api.opened(viewer, name) as repository:
        cached = await asyncio.to_thread(
            tagging.active_release, api.store, api.container.cache, repository.full_name
        )
        policy = await asyncio.to_thread(
            tagging.policy, api.store, repository.full_name, cached.release.names
        )
        text = IssueText.of(order.title, order.body)
        decisions = await api.scoring.tag(cached, text, policy)
        return TriedDocument(
            repository=repository.full_name, release=cached.id, labels=_reasons(decisions)
        )


async def previewed(
    api: ApiContext, viewer: Viewer, name: str, newest: int = NEWEST
) -> PreviewDocument:
    """What it would do with the newest open issues."""
    async with api.opened(viewer, name) as repository:
        container = api.container

        def look(_: Any) -> Any:
            return preview(container.store, container.cache, repository, api.now(), newest=newest)

        active = await api.read(lambda work: work.releases.active_of([repository.id]))
        key = ("preview", repository.id, newest, active.get(repository.id))
        aside = await asyncio.to_thread(api.background.ask, key, look)
        if aside.state == "failed":
            raise ApiRefusal(409, aside.error)
        if aside.state == "running":
            return PreviewDocument(repository=repository.full_name, ready=False)
        return PreviewDocument.model_validate(vars(aside.result) | {"ready": True})


def _advice(explained: ExplainedIssue) -> AdviceDocument:
    duplicate, original = explained.advice.duplicate, explained.original
    shown = None
    if duplicate is not None and original is not None:  # else it was deleted since
        shown = PrecedentDocument(
            number=original.number, title=original.title, similarity=duplicate.similarity
        )
    owners = [LabelOwnersDocument.model_validate(each) for each in explained.advice.owners]
    paths = [PathOwnersDocument.model_validate(each) for each in explained.advice.path_owners]
    return AdviceDocument(
        duplicate=shown,
        owners=owners,
        path_owners=paths,
        assignee=explained.advice.assignee,
        missing=missing_in_words(explained.advice),
        security=list(explained.advice.security),
    )


def _reasons(decisions: Iterable[LabelDecision]) -> list[LabelReasonsDocument]:
    return [
        LabelReasonsDocument(
            label=decision.name,
            probability=decision.score,
            cut=decision.cut,
            decision=decision.decision,
            decided_by=decision.decided_by,
            votes=[
                VoteDocument(strategy=strategy, probability=score)
                for strategy, score in sorted(decision.votes.items(), key=lambda vote: -vote[1])
            ],
            neighbours=[
                NeighbourDocument.model_validate(neighbour)
                for neighbour in decision.neighbours[:NEIGHBOURS]
            ],
        )
        for decision in decisions
    ]
