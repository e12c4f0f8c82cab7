"""Issues and training sets: shapes are checked, subsets keep rows together, fingerprints tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hand_made import HAND_MADE, LABELS, training_set_of

from tagger.domain.issue import IssueText, Label, TrainingSet, corpus_fingerprint


class TestIssueText:
    def test_null_fields_are_empty(self):
        assert IssueText.of(None, None) == IssueText("", "")

    def test_full_is_title_then_body(self):
        assert IssueText("Crash", "On save").full == "Crash\n\nOn save"
        assert IssueText("Crash").full == "Crash"

    def test_is_cleaned_on_the_way_in(self):
        assert IssueText.of("A\x00", "<!-- hint -->b") == IssueText("A", "b")

    def test_is_cleaned_anew_for_a_release_of_another_version(self):
        issue = IssueText.of("Why <!-- is lost", "read `<!--` and on")
        assert issue == IssueText("Why <!-- is lost", "read `<!--` and on")
        assert issue.cleaned(1) == IssueText("Why", "read `")
        assert issue.cleaned(1).cleaned(2) == issue

    def test_a_text_that_never_was_cleaned_stays_as_it_is(self):
        assert IssueText("Why <!-- x -->").cleaned(1) == IssueText("Why <!-- x -->")

    def test_an_unknown_version_is_refused(self):
        with pytest.raises(ValueError, match="cleaning 9, expected one of 1, 2"):
            IssueText.of("A", "b", cleaning=9)


class TestTrainingSet:
    def test_refuses_targets_of_another_shape(self, training_set):
        with pytest.raises(ValueError, match=r"expected \(28, 3\)"):
            replace(training_set, targets=np.zeros((28, 2), dtype=bool))

    def test_refuses_numbers_of_another_length(self, training_set):
        with pytest.raises(ValueError, match="numbers 1"):
            replace(training_set, numbers=(1,))

    def test_counts_positives_by_label(self, training_set):
        expected = [sum(name in row[2] for row in HAND_MADE) for name in training_set.names]
        assert training_set.positives.tolist() == expected

    def test_a_subset_keeps_rows_together(self, training_set):
        some = training_set.subset([5, 2, 20])
        assert some.numbers == (6, 3, 21)
        assert [issue.title for issue in some.issues] == [HAND_MADE[row][0] for row in (5, 2, 20)]
        np.testing.assert_array_equal(some.targets, training_set.targets[[5, 2, 20]])
        assert (some.labels, some.unlabelled) == (training_set.labels, training_set.unlabelled)

    def test_an_empty_subset_keeps_the_labels(self, training_set):
        assert training_set.subset([]).targets.shape == (0, 3)


class TestFingerprint:
    def test_is_the_same_for_the_same_data(self, training_set):
        assert training_set_of(HAND_MADE, LABELS).fingerprint == training_set.fingerprint

    def test_changes_with_everything_that_is_learned_from(self, training_set):
        targets = training_set.targets.copy()
        targets[0, 0] ^= True
        changed: list[TrainingSet] = [
            training_set,
            replace(training_set, targets=targets),
            replace(training_set, labels=(Label("defect"), *LABELS[1:])),
            replace(training_set, labels=(replace(LABELS[0], aliases=("defect",)), *LABELS[1:])),
            replace(training_set, issues=(IssueText("Other"), *training_set.issues[1:])),
            replace(training_set, numbers=(999, *training_set.numbers[1:])),
            replace(training_set, unlabelled=()),
            training_set.subset(range(27)),
            training_set.subset([1, 0, *range(2, 28)]),
        ]
        assert len({each.fingerprint for each in changed}) == len(changed)

    def test_title_and_body_are_told_apart(self):
        assert corpus_fingerprint([IssueText("a", "b")]) != corpus_fingerprint([IssueText("ab")])
