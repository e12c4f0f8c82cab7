"""Which labels mean an issue type: by the file, by their names, by the issues that have both."""

from __future__ import annotations

import pytest

from bot.configuration import RepositoryConfiguration, parse
from bot.configuration.labels_of_types import labels_of_types, with_types
from bot.errors import ConfigurationInvalid

BUG = "type = bug"


@pytest.mark.parametrize("label", ["bug", "Bug", "kind/bug", "type: bug", "Type:Bug", "bug 🐛"])
def test_a_label_with_the_type_s_name_means_it(label: str) -> None:
    assert labels_of_types({"Bug": ()}, [label, "docs"]) == {label.casefold(): BUG}


def test_labels_that_the_file_names_are_the_only_ones() -> None:
    found = labels_of_types({"Bug": ("defect",), "Task": ()}, ["bug", "defect", "task"])
    assert found == {"defect": BUG, "task": "type = task"}


@pytest.mark.parametrize(
    ("beside", "meant"),
    [
        ({BUG: 10}, {"crash": BUG}),
        ({BUG: 9}, {}),
        ({BUG: 18, "type = task": 2}, {"crash": BUG}),
        ({BUG: 17, "type = task": 3}, {}),
        ({"type = epic": 50}, {}),  # the file does not name it
    ],
)
def test_the_data_ties_a_label_to_a_type_where_they_stand_together(
    beside: dict[str, int], meant: dict[str, str]
) -> None:
    assert labels_of_types({"Bug": (), "Task": ()}, ["crash"], {"crash": beside}) == meant


def test_labels_of_two_types_say_nothing_and_a_type_of_its_own_wins() -> None:
    of_types = {"bug": BUG, "task": "type = task"}
    nothing: frozenset[str] = frozenset()
    for labels, learned in (
        ({"bug"}, {"bug", BUG}),
        ({"bug", "task"}, {"bug", "task"}),
        ({"bug", "type = epic"}, {"bug", "type = epic"}),
    ):
        assert with_types(frozenset(labels), nothing, of_types) == learned
    assert with_types(frozenset({"bug"}), frozenset({BUG}), of_types) == {"bug"}


def test_types_are_off_unless_the_file_names_them() -> None:
    configuration = parse("{mode: apply, allow: [bug], types: {Bug: bug}}")
    assert configuration.mode_for("type = Bug") == "apply"  # naming it here allows it
    assert configuration.off_because("type = Task") == "`types` does not name it"
    assert RepositoryConfiguration.absent().mode_for("type = Bug") == "off"
    assert configuration.rivals("type = bug", ["type = epic", "bug"]) == {"type = epic"}


def test_a_type_has_a_mode_and_a_precision_of_its_own() -> None:
    file = "{mode: suggest, types: {Bug: }, labels: {type = Bug: {mode: apply, precision: 0.95}}}"
    configuration = parse(file)
    assert configuration.mode_for("TYPE = BUG") == "apply"
    assert configuration.precision_for("type = Bug") == 0.95
    assert configuration.wording_for("type = Bug").aliases == ("Bug",)


def test_labels_renamed_on_github_go_on_meaning_the_type() -> None:
    configuration = parse("types: {Bug: [bug, crash]}").renamed({"bug": "defect"})
    assert configuration.types == {"Bug": ("defect", "crash")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("types: {Bug: a, Task: A}", "'A' means Bug already"),
        ("types: {Bug: , bug: }", "written twice"),
        ("types: [Bug]", "expected keys with values"),
        ("types: {Bug: 3}", "expected a list"),
        ("types: {Bug: [" + ", ".join(f"l{n}" for n in range(21)) + "]}", "at most 20"),
        ("{types: {Bug: }, labels: {type = Task: {mode: apply}}}", "`types` does not name it"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=message):
        parse(text)
