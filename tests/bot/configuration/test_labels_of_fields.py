"""Single-select fields in the file, and the labels that mean the same as their values."""

from __future__ import annotations

import pytest

from bot.configuration.labels_of_fields import labels_of_fields, value_targets
from bot.configuration.labels_of_types import with_types
from bot.configuration.reading import parse
from bot.errors import ConfigurationInvalid

HIGH, LOW = "field = priority: high", "field = priority: low"


@pytest.mark.parametrize("label", ["priority: high", "Priority/High", "priority - High", "high"])
def test_a_label_means_the_value_whose_name_it_has(label: str) -> None:
    fields = parse("fields: {Priority: {values: {High: , Low: }}}").fields
    assert labels_of_fields(fields, [label, "docs", "area: high"]) == {label.casefold(): HIGH}


def test_a_value_whose_labels_are_named_has_no_others() -> None:
    fields = parse("fields: {Priority: {values: {High: [urgent, p0], Low: }}}").fields
    found = labels_of_fields(fields, ["priority: high", "priority: low", "urgent"])
    assert found == {"urgent": HIGH, "p0": HIGH, "priority: low": LOW}


def test_a_bare_label_that_could_be_of_two_fields_means_neither() -> None:
    fields = parse("fields: [Priority, Severity]").fields
    values = ["field = Priority: High", "field = Severity: High", "field = Effort: Low"]
    found = labels_of_fields(fields, ["high", "low", "severity: high"], values)
    assert found == {"severity: high": "field = severity: high"}


def test_values_are_known_from_the_file_issues_and_labels() -> None:
    fields = parse("fields: {Priority: {values: {High: }}}").fields
    values = ["field = priority: high", "field = Priority: Low", "field = Effort: 3"]
    labels = ["priority: low", "priority: none", "docs"]
    assert value_targets(fields, labels, values) == (
        "field = Priority: Low",
        "field = Priority: High",
        "field = Priority: none",
    )


def test_an_issue_s_own_value_counts_for_more_than_its_labels() -> None:
    means = {"p0": HIGH, "p3": LOW, "bug": "type = bug"}
    nothing: frozenset[str] = frozenset()
    for labels, learned in (
        ({"p0", "bug"}, {"p0", "bug", HIGH, "type = bug"}),
        ({"p0", "p3", "bug"}, {"p0", "p3", "bug", "type = bug"}),
        ({"p0", LOW}, {"p0", LOW}),
        ({"p0", "field = severity: low"}, {"p0", "field = severity: low", HIGH}),
    ):
        assert with_types(frozenset(labels), nothing, means) == learned
    assert with_types(frozenset({"p0"}), frozenset({HIGH}), means) == {"p0"}


def test_a_value_is_suggested_at_most_and_only_of_a_field_that_is_named() -> None:
    configuration = parse("{mode: apply, fields: [Priority], labels: {docs: }}")
    assert configuration.mode_for("field = Priority: High") == "suggest"
    assert configuration.mode_for("field = Severity: High") == "off"
    assert configuration.off_because("field = Severity: High") == "`fields` does not name it"
    shadow = parse("{mode: shadow, fields: [Priority]}")
    assert shadow.mode_for("FIELD = PRIORITY: HIGH") == "shadow"
    named = parse(
        "{mode: apply, fields: [Priority], labels: {'field = Priority: P0': {mode: 'off'}}}"
    )
    assert named.mode_for("field = Priority: P0") == "off"
    assert configuration.wording_for("field = Priority: High").aliases == ("Priority: High",)


def test_values_of_one_field_exclude_each_other() -> None:
    configuration = parse("fields: {Priority: {values: {High: , Low: }}, Severity: }")
    among = [LOW, "field = severity: low", "high"]
    assert configuration.rivals("field = Priority: High", among) == {LOW}
    assert configuration.exclusive_with("field = Priority: High") == {LOW}


def test_labels_renamed_on_github_go_on_meaning_the_value() -> None:
    configuration = parse("fields: {Priority: {values: {High: [p0, p1]}}}").renamed({"p0": "now"})
    assert configuration.fields["Priority"].values == {"High": ("now", "p1")}
    assert type(configuration).stored(configuration.as_stored()) == configuration


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("fields: {Priority: apply}", "got 'apply', expected suggest: values of fields are never"),
        ("fields: {Priority: {mode: shadow}}", "expected suggest"),
        ("fields: {'Priority: now': suggest}", "which parts a field from its value"),
        ("fields: {Priority: , priority: }", "written twice"),
        ("fields: {P: {values: {High: a, Low: A}}}", "'A' means P: High already"),
        ("{types: {Bug: a}, fields: {P: {values: {High: a}}}}", "'a' means the type Bug already"),
        ("fields: Priority", "expected"),
        ("fields: [[Priority]]", "expected"),
        ("{fields: [P], labels: {'field = Q: 1': {mode: suggest}}}", "`fields` does not name it"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=message):
        parse(text)
