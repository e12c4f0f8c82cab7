"""What storing a delivery needs of a repository's configuration, kept so that no file is read."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from bot.configuration import RepositoryConfiguration
from store.engine.text import name_key

if TYPE_CHECKING:
    from collections.abc import Mapping

    from store.records import Repository
    from store.unit_of_work import UnitOfWork


@dataclass(frozen=True)
class IntakeRules:
    """The few rules that intake goes by; without a file the defaults.

    :ivar delay_seconds: between an event and the bot's action.
    :ivar fallback_label: under the name that the file gives it.
    :ivar targets: what is labelled.
    """

    delay_seconds: int = RepositoryConfiguration.model_fields["delay_seconds"].default
    fallback_label: str | None = None
    targets: tuple[str, ...] = ("issues",)

    @classmethod
    def by(cls, configuration: RepositoryConfiguration) -> Self:
        targets = tuple(map(str, configuration.targets))
        return cls(configuration.delay_seconds, configuration.fallback_label, targets)

    @classmethod
    def of(cls, repository: Repository | None) -> Self | None:
        """As last read; None where the file was never looked for."""
        stored = repository.intake_rules if repository else None
        return None if stored is None else cls.from_json(stored)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        targets = tuple(stored.get("targets", ("issues",)))
        return cls(stored["delay_seconds"], stored["fallback_label"], targets)

    def to_json(self) -> dict[str, Any]:
        """As stored in `Repository.intake_rules`."""
        return asdict(self)


def fallback_label_in(work: UnitOfWork, repository: Repository) -> str | None:
    """The fallback label under its present name; None where there is none, as far as known."""
    intake = IntakeRules.of(repository)
    if intake is None or intake.fallback_label is None:
        return None
    return work.labels.renames(repository.id).get(
        name_key(intake.fallback_label), intake.fallback_label
    )
