"""Everything an evaluation refuses, with what to do about it.

TaggerError
└── EvaluationRefused
    ├── TooFewIssues        no train or no test side is left after splitting
    └── CellDamaged         a stored cell cannot be read back
"""

from __future__ import annotations

from tagger.errors import TaggerError


class EvaluationRefused(TaggerError):
    """An evaluation that cannot give figures to be believed."""


class TooFewIssues(EvaluationRefused):
    """A split that leaves one side without issues."""


class CellDamaged(EvaluationRefused):
    """A stored cell that is incomplete or of another shape than its numbers say."""
