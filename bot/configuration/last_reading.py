"""What was found when a repository's configuration file was last looked for, as it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

from bot.configuration import Problem, RepositoryConfiguration
from bot.configuration.intake_rules import IntakeRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from store.records import Repository
    from store.unit_of_work import UnitOfWork

REPOSITORY, ORGANISATION = "repository", "organisation"


@dataclass(frozen=True)
class FileAtPlace:
    """What one of the places holds where the file may be.

    :ivar text: None where there is no file.
    :ivar forbidden: the bot may not read it.
    """

    etag: str | None = None
    text: str | None = None
    forbidden: bool = False

    def to_json(self) -> dict[str, Any]:
        facts = {"etag": self.etag, "text": self.text, "forbidden": self.forbidden or None}
        return {name: value for name, value in facts.items() if value is not None}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(stored.get("etag"), stored.get("text"), bool(stored.get("forbidden")))


@dataclass(frozen=True)
class Reading:
    """What was found when the file was last looked for.

    :ivar rules: what is in force, as `RepositoryConfiguration.as_stored` has it; None where there
        is no file.
    :ivar problems: why the present file is not, in the order of its lines; empty where it is.
    :ivar places: by place ("repository", "organisation"), what it holds.
    :ivar code_owners: by path, what was found there of CODEOWNERS; empty where nobody asks for it.
    """

    checked_at: datetime
    rules: str | None = None
    intake: IntakeRules = field(default_factory=IntakeRules)
    problems: tuple[Problem, ...] = ()
    places: Mapping[str, FileAtPlace] = field(default_factory=dict)
    code_owners: Mapping[str, FileAtPlace] = field(default_factory=dict)

    @property
    def configuration(self) -> RepositoryConfiguration:
        return _in_force(self.rules)

    @property
    def is_own(self) -> bool:
        """The repository has a file of its own, good or bad; else its organisation's was read."""
        return ORGANISATION not in self.places

    @property
    def is_forbidden(self) -> bool:
        """The file may not be read: that is no fault of its author's."""
        return any(place.forbidden for place in self.places.values())

    @property
    def own_problems(self) -> tuple[Problem, ...]:
        """Those that the repository's people can mend."""
        return self.problems if self.is_own and not self.is_forbidden else ()

    @property
    def code_owners_text(self) -> str:
        """Of the CODEOWNERS that counts; "" where there is none."""
        return next((each.text for each in self.code_owners.values() if each.text), "")

    def to_json(self) -> dict[str, Any]:
        """As stored in `Repository.configuration`; `intake` has a place of its own."""
        return {
            "checked_at": self.checked_at.isoformat(),
            "valid": self.rules,
            "problems": [[problem.line, problem.key, problem.message] for problem in self.problems],
            "places": {name: place.to_json() for name, place in self.places.items()},
            "code_owners": {path: place.to_json() for path, place in self.code_owners.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], intake: IntakeRules) -> Self:
        places, code_owners = stored.get("places", {}), stored.get("code_owners", {})
        return cls(
            datetime.fromisoformat(stored["checked_at"]),
            stored["valid"],
            intake,
            tuple(Problem(*problem) for problem in stored.get("problems", ())),
            {name: FileAtPlace.from_json(place) for name, place in places.items()},
            {path: FileAtPlace.from_json(place) for path, place in code_owners.items()},
        )

    @classmethod
    def of(cls, repository: Repository) -> Self | None:
        """What is stored of a repository, None where the file was never looked for."""
        intake = IntakeRules.of(repository)
        if repository.configuration is None or intake is None:
            return None
        return cls.from_json(repository.configuration, intake)

    def keep(self, work: UnitOfWork, repository_id: int) -> None:
        """Store it as the repository's last reading."""
        work.repositories.set_configuration(repository_id, self.to_json(), self.intake.to_json())


@lru_cache(maxsize=64)
def _in_force(rules: str | None) -> RepositoryConfiguration:
    if rules is None:
        return RepositoryConfiguration.absent()
    return RepositoryConfiguration.stored(rules)
