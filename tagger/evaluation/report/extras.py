"""What a report may show beyond the evaluation itself, given by whoever has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from tagger.monitoring.live_figures import LiveLabel


@dataclass(frozen=True)
class NeighbourMap:
    """Skill of knn for each number of neighbours k and of votes m that a label needs.

    :ivar skill: *Shape:* (n_k, n_m), micro F1; NaN where m is more than k.
    """

    k: tuple[int, ...]
    m: tuple[int, ...]
    skill: NDArray[Any]


@dataclass(frozen=True)
class LossCurve:
    """Loss of one adaptation or fine-tuning over its steps."""

    name: str
    steps: tuple[float, ...]
    losses: tuple[float, ...]


@dataclass(frozen=True)
class NextIssue:
    """An unlabelled issue that is worth a person's minute."""

    number: int
    title: str
    label: str
    score: float
    why: str


@dataclass(frozen=True)
class Extras:
    """Additions to the report; each part is left out where it is not given.

    :ivar repository: `OWNER/NAME`.
    :ivar issue_url: with `{number}` in it; empty: numbers are not linked.
    :ivar vectors: of the labelled issues, for their map. *Shape:* (n_issues, width)
    :ivar previous: the last run's `report.json`, to compare with.
    :ivar notes: sentences that a reader must know, such as which model stands in for which.
    :ivar live: what people did with labels in use.
    :ivar release: manifest of the release that serves, as JSON: the verdict is on it. None: on
        what this evaluation measured.
    """

    repository: str
    issue_url: str = ""
    neighbours: NeighbourMap | None = None
    losses: tuple[LossCurve, ...] = ()
    next_issues: tuple[NextIssue, ...] = ()
    vectors: NDArray[Any] | None = None
    previous: dict[str, Any] | None = None
    notes: tuple[str, ...] = ()
    live: tuple[LiveLabel, ...] = ()
    release: Mapping[str, Any] | None = None

    def url(self, number: int) -> str:
        return self.issue_url.replace("{number}", str(number))
