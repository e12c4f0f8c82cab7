"""What is said of one issue beside its labels. Of other issues it holds their numbers alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class LikelyDuplicate:
    """The earlier issue that this one says again.

    :ivar number: of the original.
    :ivar probability: that it is, by `tagger.duplicates`.
    :ivar similarity: cosine of the two vectors.
    """

    number: int
    probability: float
    similarity: float


@dataclass(frozen=True, slots=True)
class LabelOwners:
    """Whom an issue may be for, by one of its labels.

    :ivar owners: `@login` or `@organisation/team`.
    """

    label: str
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PathOwners:
    """Whom an issue may be for, by a file that it names.

    :ivar pattern: as CODEOWNERS has it, which is no text of the issue.
    :ivar owners: `@login` or `@organisation/team`.
    """

    pattern: str
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """What maintainers are told; nothing, where there is nothing to tell.

    :ivar missing: what the issue leaves out that its form asks for (`missing_information`).
    :ivar security: kinds of words that speak of a vulnerability; never said in a comment.
    :ivar assignee: login of the one person whom it may be for; "" where there is none, or several,
        or where nobody is to be suggested.
    """

    duplicate: LikelyDuplicate | None = None
    owners: tuple[LabelOwners, ...] = ()
    missing: tuple[str, ...] = ()
    security: tuple[str, ...] = ()
    path_owners: tuple[PathOwners, ...] = ()
    assignee: str = ""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Advice:
        """As `as_json` gave it."""
        duplicate = document.get("duplicate")
        return cls(
            LikelyDuplicate(**duplicate) if duplicate else None,
            tuple(
                LabelOwners(label, tuple(owners)) for label, owners in document.get("owners", ())
            ),
            tuple(document.get("missing", ())),
            tuple(document.get("security", ())),
            tuple(
                PathOwners(pattern, tuple(owners))
                for pattern, owners in document.get("path_owners", ())
            ),
            document.get("assignee", ""),
        )

    def as_json(self) -> dict[str, Any]:
        """As stored with the issue."""
        document: dict[str, Any] = {}
        if duplicate := self.duplicate:
            document["duplicate"] = {
                "number": duplicate.number,
                "probability": round(duplicate.probability, 4),
                "similarity": round(duplicate.similarity, 4),
            }
        if self.owners:
            document["owners"] = [[each.label, list(each.owners)] for each in self.owners]
        if self.missing:
            document["missing"] = list(self.missing)
        if self.security:
            document["security"] = list(self.security)
        if self.path_owners:
            document["path_owners"] = [
                [each.pattern, list(each.owners)] for each in self.path_owners
            ]
        if self.assignee:
            document["assignee"] = self.assignee
        return document


NO_ADVICE = Advice()
