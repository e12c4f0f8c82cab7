"""Works out what maintainers are told of an issue, and keeps it with the issue."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from bot.advising.advice import NO_ADVICE, Advice
from bot.advising.code_owners import owners_of_paths
from bot.advising.duplicates import DuplicateFinder
from bot.advising.missing_information import missing_information
from bot.advising.routing import MOST, all_owners_by_label, one_person, owners_by_label
from bot.advising.security_reports import security_words
from bot.configuration.last_reading import Reading
from tagger.domain.issue import IssueText

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from bot.advising.advice import LabelOwners, PathOwners
    from bot.configuration import RepositoryConfiguration
    from store.database import Store
    from store.records import Repository, StoredIssue
    from store.unit_of_work import UnitOfWork
    from tagger.encoders.encoder import Encoder

log = logging.getLogger(__name__)


class Advisor:
    """Advises on issues; thread-safe.

    :param open_encoder: opens the encoder that the stored vectors were made with.
    """

    def __init__(self, store: Store, open_encoder: Callable[[], Encoder]) -> None:
        self._store = store
        self._duplicates = DuplicateFinder(store, open_encoder)

    def advise(
        self,
        repository: Repository,
        configuration: RepositoryConfiguration,
        issue: StoredIssue,
        likely: Sequence[str],
        now: datetime,
    ) -> Advice:
        """What is said of an issue, kept with it in place of what was said before.

        :param likely: labels that are set or suggested, the likeliest first.

        Advice is an extra: where it fails, labels are given all the same, and the log says why.
        """
        try:
            advice = self.consider(repository, configuration, issue, likely)
        except Exception:
            log.exception("there is no advice", extra={"issue": issue.number})
            return NO_ADVICE
        with self._store.read() as work:
            before = advice_on(work, repository.id, issue.number)
        if advice != before:
            with self._store.begin() as work:
                work.advice.put(repository.id, issue.number, advice.as_json(), now)
        return advice

    def consider(
        self,
        repository: Repository,
        configuration: RepositoryConfiguration,
        issue: StoredIssue,
        likely: Sequence[str],
    ) -> Advice:
        """What is said of an issue; nothing is kept."""
        settings = configuration.advice
        if issue.target != "issues":  # it may well say what an issue says: it is the answer to it
            return Advice(owners=owners_by_label(configuration, issue.labels, likely))
        path_owners = self._path_owners(repository.id, issue) if settings.code_owners else ()
        label_owners = all_owners_by_label(configuration, issue.labels, likely)
        owners: list[LabelOwners | PathOwners] = [*label_owners, *path_owners]
        return Advice(
            self._duplicates.likely(repository, issue, settings.duplicates),
            label_owners[:MOST],
            missing_information(issue.body) if settings.missing_information else (),
            security_words(IssueText.of(issue.title, issue.body)) if settings.security else (),
            path_owners,
            one_person(owners, issue.author) if settings.assignee else "",
        )

    def _path_owners(self, repository_id: int, issue: StoredIssue) -> tuple[PathOwners, ...]:
        """By the CODEOWNERS that was read with the configuration, which may be newer than ours."""
        with self._store.read() as work:
            reading = Reading.of(work.repositories.by_id(repository_id))
        if reading is None:
            return ()
        return owners_of_paths(reading.code_owners_text, f"{issue.title}\n{issue.body}")


def advice_on(work: UnitOfWork, repository_id: int, number: int) -> Advice:
    """What was last said of an issue."""
    stored = work.advice.find(repository_id, number)
    return Advice.of(stored.document) if stored else NO_ADVICE
