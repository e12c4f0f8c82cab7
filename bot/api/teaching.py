"""Teaching: the next question, answers, and what was taught written to GitHub."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from bot.api.background import PATIENCE_SECONDS
from bot.api.refusals import ApiRefusal
from bot.api.teaching_documents import (
    LessonChangeDocument,
    LessonLabelDocument,
    LikelyLabelDocument,
    QuestionDocument,
    RunDocument,
    TeachDocument,
)
from bot.backfilling.throttling import Throttled
from bot.teaching.answers import TeachingAnswer, keep_answer, skip, undo_last
from bot.teaching.github_run import undo_decisions, write_decisions

if TYPE_CHECKING:
    from bot.api.api_context import ApiContext
    from bot.api.background import AsideWork
    from bot.api.teaching_documents import AnswerOrder, RunOrder, SkipOrder
    from bot.signin.viewers import Viewer
    from bot.teaching.teaching_sessions import TeachingQuestion, TeachingState
    from store.records import Repository

_LESSON, _RUN = "lesson", "decisions to GitHub"


async def teach(api: ApiContext, viewer: Viewer, name: str) -> TeachDocument:
    """How it stands, and the issue to label next; makes a lesson where one is due."""
    async with api.opened(viewer, name) as repository:
        return await asyncio.to_thread(_teach, api, repository)


async def answered(api: ApiContext, viewer: Viewer, name: str, order: AnswerOrder) -> TeachDocument:
    """Keep an answer; the next question."""
    async with api.opened(viewer, name) as repository:
        answer = TeachingAnswer(order.number, tuple(order.labels), tuple(order.offered))
        await asyncio.to_thread(keep_answer, api.store, repository, answer, viewer.login, api.now())
        if order.direct and _can_write(api, repository) and not _is_writing(api, repository):
            await asyncio.to_thread(_begin_run, api, repository, "write", 0.0)
        return await asyncio.to_thread(_teach, api, repository)


async def skipped(api: ApiContext, viewer: Viewer, name: str, order: SkipOrder) -> TeachDocument:
    """Put an issue aside; the next question."""
    async with api.opened(viewer, name) as repository:
        await asyncio.to_thread(skip, api.store, repository, order.number, viewer.login, api.now())
        return await asyncio.to_thread(_teach, api, repository)


async def undone(api: ApiContext, viewer: Viewer, name: str) -> TeachDocument:
    """Take the last answer back."""
    async with api.opened(viewer, name) as repository:
        await asyncio.to_thread(undo_last, api.store, repository, viewer.login, api.now())
        return await asyncio.to_thread(_teach, api, repository)


async def run(api: ApiContext, viewer: Viewer, name: str, order: RunOrder) -> RunDocument:
    """Write what holds here alone to GitHub, or take the last run off again."""
    async with api.opened(viewer, name) as repository:
        if _is_writing(api, repository):
            raise ApiRefusal(409, "A run is going on already.")
        aside = await asyncio.to_thread(_begin_run, api, repository, order.act)
        return _run_document(aside)


def _begin_run(
    api: ApiContext, repository: Repository, act: str, patience: float = PATIENCE_SECONDS
) -> AsideWork:
    key = _RUN, repository.id
    api.background.forget(key)

    def work_out(progress: Any) -> str:
        return asyncio.run(_carry_out(api, repository, act, progress))

    return api.background.ask(key, work_out, patience=patience)


def _is_writing(api: ApiContext, repository: Repository) -> bool:
    going = api.background.find((_RUN, repository.id))
    return going is not None and going.state == "running"


def _can_write(api: ApiContext, repository: Repository) -> bool:
    return repository.github_id is not None and api.authenticator.access() is not None


async def _carry_out(api: ApiContext, repository: Repository, act: str, progress: Any) -> str:
    """In an event loop of its own: a run may take minutes."""
    context = api.container.context()
    try:
        throttled = Throttled(api.container.clock)
        if act == "write":
            written = await write_decisions(context, repository, throttled, progress)
            return written.sentence
        return await undo_decisions(context, repository, throttled, progress)
    finally:
        if context.access is not None:
            await context.access.aclose()


def _teach(api: ApiContext, repository: Repository) -> TeachDocument:
    teaching_sessions, key = api.teaching_sessions, (_LESSON, repository.id)
    if not teaching_sessions.has_lesson(repository) or teaching_sessions.is_due(repository):
        going = api.background.find(key)
        if going is not None and going.state != "running":
            api.background.forget(key)
        patience = 0.5 if teaching_sessions.has_lesson(repository) else 1.5
        api.background.ask(
            key, lambda progress: teaching_sessions.teach(repository, progress), patience=patience
        )
    going = api.background.find(key)
    if (
        going is not None
        and going.state == "failed"
        and not teaching_sessions.has_lesson(repository)
    ):
        api.background.forget(key)
        raise ApiRefusal(409, going.error)
    step = going.step or "beginning" if going is not None and going.state == "running" else ""
    state = teaching_sessions.state(repository)
    if state is None:
        return TeachDocument(repository=repository.full_name, ready=False, step=step)
    aside = api.background.find((_RUN, repository.id))
    return _document(repository, state, step, aside, can_write=_can_write(api, repository))


def _document(
    repository: Repository,
    state: TeachingState,
    step: str,
    aside: AsideWork | None,
    *,
    can_write: bool,
) -> TeachDocument:
    change = state.change
    return TeachDocument(
        repository=repository.full_name,
        ready=True,
        step=step,
        question=_question(state.question),
        labels=[LessonLabelDocument.model_validate(label) for label in state.lesson.labels],
        expected_f1=state.lesson.expected_f1,
        change=LessonChangeDocument.model_validate(change) if change else None,
        learned=state.lesson.learned,
        answered=state.answered,
        skipped=state.skipped,
        local=state.local,
        until_next=max(state.until_next, 0),
        can_write=can_write,
        run=_run_document(aside) if aside else RunDocument(),
    )


def _question(question: TeachingQuestion | None) -> QuestionDocument | None:
    if question is None:
        return None
    return QuestionDocument(
        number=question.issue.number,
        title=question.issue.title,
        body=question.issue.body,
        likely=[
            LikelyLabelDocument(name=name, probability=probability)
            for name, probability in question.likely
        ],
        others=list(question.others),
    )


def _run_document(aside: AsideWork) -> RunDocument:
    words = {"running": aside.step or "writing", "done": aside.result, "failed": aside.error}
    return RunDocument(state=aside.state, words=str(words[aside.state]))
