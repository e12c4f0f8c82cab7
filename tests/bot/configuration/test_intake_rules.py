"""The few rules that storing a delivery goes by."""

from __future__ import annotations

from datetime import UTC, datetime

from bot.configuration import parse
from bot.configuration.intake_rules import IntakeRules, fallback_label_in

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REPO = "acme/rocket"


def repository_with(store, intake: dict[str, object] | None):
    with store.begin() as work:
        known = work.repositories.get_or_create(REPO, now=NOW)
        work.repositories.set_configuration(known.id, {"valid": None}, intake)
        return work.repositories.get(REPO)


def test_the_rules_are_those_of_the_file() -> None:
    rules = parse("delay_seconds: 7\nfallback_label: triage\n")
    assert IntakeRules.by(rules) == IntakeRules(delay_seconds=7, fallback_label="triage")
    assert IntakeRules.by(parse("")) == IntakeRules()


def test_where_no_file_was_looked_for_there_are_none(store) -> None:
    assert IntakeRules.of(None) is None
    assert IntakeRules.of(repository_with(store, None)) is None


def test_what_was_read_last_holds(store) -> None:
    repository = repository_with(store, IntakeRules(delay_seconds=0).to_json())
    assert IntakeRules.of(repository) == IntakeRules(delay_seconds=0)


def test_the_fallback_label_has_its_present_name(store) -> None:
    repository = repository_with(store, {"delay_seconds": 0, "fallback_label": "Triage"})
    with store.begin() as work:
        assert fallback_label_in(work, repository) == "Triage"
        work.labels.rename(repository.id, "triage", "needs a look")
        assert fallback_label_in(work, repository) == "needs a look"
    without = repository_with(store, IntakeRules().to_json())
    with store.read() as work:
        assert fallback_label_in(work, without) is None
