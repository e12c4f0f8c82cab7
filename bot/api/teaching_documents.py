"""The documents of `/api/v1` about teaching."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from bot.api.documents import ApiDocument


class LessonLabelDocument(ApiDocument):
    """One label: what it rests on, the F1 to expect, and whether its precision can be promised."""

    name: str
    examples: int
    expected_f1: float
    servable: bool


class LikelyLabelDocument(ApiDocument):
    name: str
    probability: float


class QuestionDocument(ApiDocument):
    """The issue to label next; the likely labels are those with keys."""

    number: int
    title: str
    body: str
    likely: list[LikelyLabelDocument]
    others: list[str]


class LessonChangeDocument(ApiDocument):
    """What the last lesson brought."""

    answers: int
    expected_f1_before: float
    expected_f1: float
    new_servable: list[str]


class RunDocument(ApiDocument):
    """Writing to GitHub, or undoing it."""

    state: Literal["none", "running", "done", "failed"] = "none"
    words: str = ""


class TeachDocument(ApiDocument):
    """How the teaching stands; `ready` is false while the first lesson is made."""

    repository: str
    ready: bool
    step: str = Field(default="", description="What the lesson being made is at; empty: none is.")
    question: QuestionDocument | None = None
    labels: list[LessonLabelDocument] = Field(default_factory=list)
    expected_f1: float = 0.0
    change: LessonChangeDocument | None = None
    learned: int = Field(default=0, description="Labelled issues that it learned from.")
    answered: int = 0
    skipped: int = 0
    local: int = Field(default=0, description="Issues decided on here that GitHub knows nothing of")
    until_next: int = 0
    can_write: bool = False
    run: RunDocument = RunDocument()


class AnswerOrder(BaseModel):
    """The labels of an issue; where none belongs, those that were offered."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=1, le=2**53)
    labels: list[str] = Field(default_factory=list, max_length=100)
    offered: list[str] = Field(default_factory=list, max_length=100)
    direct: bool = Field(default=False, description="Write it to GitHub at once, as a run.")


class SkipOrder(BaseModel):
    """An issue to put aside."""

    model_config = ConfigDict(extra="forbid")

    number: int = Field(ge=1, le=2**53)


class RunOrder(BaseModel):
    """Write what was decided here to GitHub, or undo the last such run."""

    model_config = ConfigDict(extra="forbid")

    act: Literal["write", "undo"]
