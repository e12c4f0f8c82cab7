"""Invented issues whose words say their labels, for tests of the evaluation."""

import numpy as np

from tagger.domain.issue import IssueText, Label, TrainingSet

WORDS = {
    "bug": ("crash", "traceback", "broken", "fails"),
    "docs": ("readme", "typo", "tutorial", "guide"),
    "speed": ("slow", "latency", "profile", "memory"),
    "design": ("button", "colour", "layout", "icon"),
}
FILLER = [f"{first}{last}" for first in "bdfgklmnprst" for last in ("ano", "ivu", "ela", "ory")]


def invented(n_issues=120, seed=0, n_labels=4):
    """A training set: each issue has one or two labels, and words that mostly give them away."""
    rng = np.random.default_rng(seed)
    names = list(WORDS)[:n_labels]
    targets = np.zeros((n_issues, n_labels), dtype=bool)
    issues = []
    for row in range(n_issues):
        shares = np.array([0.5, 0.25, 0.15, 0.1][:n_labels])
        chosen = rng.choice(
            n_labels, rng.integers(1, min(3, n_labels + 1)), replace=False, p=shares / shares.sum()
        )
        targets[row, chosen] = True
        informative = [str(rng.choice(WORDS[names[label]])) for label in chosen]
        issues.append(
            IssueText(" ".join(informative), " ".join(rng.choice(FILLER, rng.integers(8, 30))))
        )
    labels = tuple(Label(name) for name in names)
    return TrainingSet(labels, tuple(range(1, n_issues + 1)), tuple(issues), targets)
