"""Rows of an export, and what reading them found out: its shape, what was left out, what helps."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from bot.exports import shapes

if TYPE_CHECKING:
    from bot.exports.refusals import ExportRefused, ExportSource


@dataclass(frozen=True, slots=True)
class ExportRow:
    """What may be an issue.

    :ivar line: on which it begins, counted from 1.
    :ivar place: which one it is, counted from 1; 0 where the line says that.
    :ivar problem: why there is none, "" where there is.
    """

    line: int
    place: int
    issue: object
    problem: str = ""


@dataclass(slots=True)
class ExportAccount:
    """Filled while a file is read; whole once it is read.

    :ivar container: how its rows are written: "JSON lines", "a JSON array", …
    :ivar kinds: of what its rows are, each with how many.
    :ivar encoding: "UTF-8", "UTF-16 LE" or "UTF-16 BE"; "" for what is no text.
    :ivar nameless_labels: labels without a name, which are left out; their issues stay.
    :ivar unlabelled: issues of which nothing was said about labels; they count as having none.
    :ivar left_out: why rows hold no issue to import, each reason with how many.
    :ivar others: repositories that rows are of and that are not imported, with how many.
    """

    source: ExportSource
    container: str = ""
    encoding: str = ""
    kinds: Counter[str] = field(default_factory=Counter)
    nameless_labels: int = 0
    unlabelled: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)

    @property
    def shape(self) -> str:
        """What the file was taken for."""
        kinds = " and ".join(kind for kind in self.kinds if kind != shapes.UNKNOWN)
        return f"{self.container} of {kinds}" if kinds else self.container

    @property
    def remedy(self) -> str:
        """The command that gets the same issues with all that import needs."""
        gh = self.kinds[shapes.GH] > 0
        return self.source.listed_anew() if gh else self.source.fetched_anew()

    def of_another(self) -> ExportRefused:
        """The refusal of a file whose issues are all of other repositories."""
        [(repository, _)] = self.others.most_common(1)
        shape_seen = f"{self.shape}, all of other repositories, most of {repository}"
        source = replace(self.source, repository=repository)
        return self.source.refuse(shape_seen, source.imported())

    def without_issues(self, rows: int) -> ExportRefused:
        """The refusal of a file in which nothing can be used."""
        return self.source.refuse(f"{self.shape}; none of the {rows} rows is an issue", self.remedy)

    def __str__(self) -> str:
        written = ", ".join(part for part in (self.encoding, self.source.packing) if part)
        text = f"{self.source.path.name}: {self.shape}{f' ({written})' if written else ''}"
        if self.unlabelled:
            text += f"; {self.unlabelled} issues without a list of labels count as having none"
        counts = dict(self.left_out)
        if self.nameless_labels:
            counts["labels without a name"] = self.nameless_labels
        left_out = ", ".join(f"{count} {reason}" for reason, count in counts.items())
        return f"{text}; left out: {left_out}" if left_out else text

    def as_json(self) -> dict[str, Any]:
        """As in `import --json`."""
        return {
            "file": str(self.source.path),
            "shape": self.shape,
            "encoding": self.encoding,
            "packing": self.source.packing,
            "left_out": dict(self.left_out),
            "nameless_labels": self.nameless_labels,
            "unlabelled": self.unlabelled,
        }
