"""What a webhook delivery means: what is stored of it at once, and when it is worked on.

`understand` is pure; `keep` stores what it found within one unit of work.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from bot.configuration.effective import CONFIGURATION_PATH
from bot.configuration.intake_rules import IntakeRules, fallback_label_in
from bot.github.errors import BadPayload
from bot.github.events import (
    CommentFact,
    Fact,
    InstallationFact,
    IssueFact,
    LabelFact,
    PushFact,
    RepositoryFact,
    read_event,
)
from bot.github.models import GitHubLabel
from bot.receiving import deleted_issues, duplicate_links, repository_labels
from bot.receiving.actors import OwnActs, TargetAct, is_own_doing
from bot.receiving.command_lines import read_command
from store.engine.text import name_key
from store.provenance import PEOPLE
from store.records import DeliveryRecord, IssueRecord, LabelEvent
from store.records.issue_fields import field_target
from store.records.issue_types import is_type, issue_type_of, type_target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from bot.github.models import Issue
    from store.records import Action, Repository, StoredIssue
    from store.unit_of_work import UnitOfWork

TAGGED = frozenset({"opened", "reopened", "edited", "category_changed"})
"""Actions after which an issue is scored; an edit only where its words changed."""
_LABEL_ACTS: dict[str, Action] = {"labeled": "added", "unlabeled": "removed"}
_TYPE_ACTS: dict[str, Action] = {"typed": "added", "untyped": "removed"}
_FIELD_ACTS: dict[str, Action] = {"field_added": "added", "field_removed": "removed"}
_WORD = re.compile(r"\w+")
DELETED, TRANSFERRED = "deleted", "transferred"
MOVED = frozenset({"renamed", "transferred", "deleted", "archived", "unarchived"})
"""Actions of `repository` that change where the bot may act."""


@dataclass(frozen=True)
class Received:
    """A delivery and what it states; `fact` is None for events that are not used.

    :ivar problem: why the payload could not be read, where it could not.
    """

    delivery: DeliveryRecord
    fact: Fact | None = None
    problem: str | None = None


def understand(guid: str, event: str, payload: dict[str, Any], now: datetime) -> Received:
    """Read one delivery; a payload that cannot be read is kept and ignored, never refused.

    :param guid: X-GitHub-Delivery.
    :param now: aware.
    """
    fact, problem = None, None
    try:
        fact = read_event(event, payload)
    except BadPayload as error:
        problem = str(error)
    repository = fact.repository.full_name if fact and fact.repository else None
    issue = getattr(fact, "issue", None)
    action = payload.get("action")
    record = DeliveryRecord(
        guid=guid,
        event=event,
        action=action if isinstance(action, str) else None,
        payload=payload,
        received_at=now,
        repository=repository,
        issue_number=issue.number if issue and repository else None,
        ignored=True,
        aside=isinstance(fact, CommentFact),  # an order must not wait for the delay before tagging
    )
    return Received(record, fact, problem)


def keep(work: UnitOfWork, received: Received, own_login: str | None) -> bool:
    """Store a delivery and what it says of issues and labels; False: it was known already."""
    fact, now = received.fact, received.delivery.received_at
    if deleted_issues.is_late(work, received.delivery):
        return work.inbox.accept(deleted_issues.without_words(received.delivery))
    if fact is None:
        return work.inbox.accept(received.delivery)
    if fact.repository is None:
        due_at = when_due(fact, None, now, own_login)
        return work.inbox.accept(replace(received.delivery, due_at=due_at, ignored=due_at is None))
    # First the delivery: a repeat must change nothing, an old payload least of all.
    reference = fact.repository
    stored = work.repositories.find(reference.full_name, github_id=reference.id)
    fact = _with_labels(work, fact, stored)
    due_at = None if _made_up_for(work, received) else _due(work, fact, stored, now, own_login)
    record = replace(received.delivery, due_at=due_at, ignored=due_at is None)
    if isinstance(fact, IssueFact) and (fact.action == DELETED or _is_left_out(fact, stored)):
        record = deleted_issues.without_words(record)
    if not work.inbox.accept(record):
        return False
    repository = heard_of(work, reference.full_name, reference.id, now, stored=stored)
    if isinstance(fact, RepositoryFact) and _follows(fact, repository):
        repository = work.repositories.get_or_create(
            reference.full_name, now=now, github_id=reference.id
        )
    if isinstance(fact, IssueFact):
        _keep_issue(work, repository, fact, received.delivery, own_login)
    elif isinstance(fact, CommentFact):
        _keep_comment(work, repository, fact, record)
    elif isinstance(fact, LabelFact):
        repository_labels.hear(work, repository.id, fact, now)
    return True


def _due(
    work: UnitOfWork,
    fact: Fact,
    repository: Repository | None,
    now: datetime,
    own_login: str | None,
) -> datetime | None:
    intake = IntakeRules.of(repository)
    if repository and intake and isinstance(fact, IssueFact) and fact.label is not None:
        intake = replace(intake, fallback_label=fallback_label_in(work, repository))
    due_at = when_due(fact, intake, now, own_login)
    if due_at is None and repository is not None and _may_have_to_make_way(work, repository, fact):
        return now
    return due_at


def _may_have_to_make_way(work: UnitOfWork, repository: Repository, fact: Fact) -> bool:
    """Whether a person set a label on an issue that carries one of the bot's.

    The two may be of one exclusive group: then the person's stays, whenever it came.
    """
    if not isinstance(fact, IssueFact) or fact.label_added is None or fact.by_bot:
        return False
    if fact.issue.state != "open":
        return False
    writes = work.writes.list(repository_id=repository.id, number=fact.issue.number)
    own = {
        name_key(write.label)
        for write in writes
        if write.form == "label" and write.state == "written"
    }
    # Of a discussion GitHub may not say which labels it has: then the worker looks.
    present = set(map(name_key, fact.issue.label_names)) if fact.labels_told else own
    return bool(own & (present - {name_key(fact.label_added)}))


def heard_of(
    work: UnitOfWork,
    full_name: str,
    github_id: int | None,
    now: datetime,
    *,
    stored: Repository | None = None,
) -> Repository:
    """The repository that a payload speaks of; a known one keeps the name it has.

    What it is called is GitHub's to say: a payload may be days old (see `names`).

    :param stored: as it was found in this very unit of work.
    """
    repository = stored or work.repositories.find(full_name, github_id=github_id)
    if repository is not None and repository.github_id is not None:
        return repository
    return work.repositories.get_or_create(full_name, now=now, github_id=github_id)


def _follows(fact: RepositoryFact, repository: Repository) -> bool:
    """Whether it tells of a move from where the repository is known to be, and so is the next."""
    previous = fact.previous_full_name
    return previous is not None and name_key(previous) == name_key(repository.full_name)


def made_up_id(github_id: int, number: int, what: str) -> str:
    """The id of a delivery made up for one that never came: one for each thing that happened."""
    return f"sweep-{github_id}-{number}-{what}"


def _made_up_for(work: UnitOfWork, received: Received) -> bool:
    """Whether a sweep has put the opening of this issue into the inbox in the meantime."""
    fact = received.fact
    if not isinstance(fact, IssueFact) or fact.action != "opened":
        return False
    if fact.repository is None or fact.repository.id is None:
        return False
    guid = made_up_id(fact.repository.id, fact.issue.number, "opened")
    return guid != received.delivery.guid and work.inbox.has(guid)


def when_due(
    fact: Fact,
    intake: IntakeRules | None,
    now: datetime,
    own_login: str | None,
) -> datetime | None:
    """When a worker should take the delivery up; None: never, all of it is done by storing it.

    :param intake: as last read; None where no file was ever looked for (the worker then looks).
    """
    if isinstance(fact, IssueFact):
        return _issue_due(fact, intake, now, own_login)
    if isinstance(fact, CommentFact):
        return now if _is_command(fact) else None
    if isinstance(fact, PushFact):
        changed = fact.to_default_branch and CONFIGURATION_PATH in fact.paths
        return now if changed else None
    if isinstance(fact, RepositoryFact):
        return now if fact.action in MOVED else None
    return now if isinstance(fact, InstallationFact) else None


def _with_labels(work: UnitOfWork, fact: Fact, repository: Repository | None) -> Fact:
    """The fact with the labels that are known here, where GitHub does not say which there are."""
    if not isinstance(fact, IssueFact) or fact.labels_told or repository is None:
        return fact
    stored = work.issues.find(repository.id, fact.issue.number)
    labels = {name_key(name): GitHubLabel(name=name) for name in (stored.labels if stored else ())}
    if fact.label is not None:
        labels.pop(name_key(fact.label.name), None)
        if fact.label_added:
            labels[name_key(fact.label.name)] = fact.label
    issue = fact.issue.model_copy(update={"labels": tuple(labels.values())})
    return replace(fact, issue=issue)


def _is_covered(issue: Issue, intake: IntakeRules | None) -> bool:
    return issue.target in (intake.targets if intake else ("issues",))


def _is_left_out(fact: IssueFact, repository: Repository | None) -> bool:
    """Whether it is about a discussion where nobody wants these labelled: nothing is kept of it.

    Of what was kept before, what is deleted goes all the same.
    """
    if fact.issue.target != "discussions" or fact.action in {DELETED, TRANSFERRED}:
        return False
    return not _is_covered(fact.issue, IntakeRules.of(repository))


def _issue_due(
    fact: IssueFact,
    intake: IntakeRules | None,
    now: datetime,
    own_login: str | None,
) -> datetime | None:
    issue = fact.issue
    if is_own_doing(fact.sender, own_login, issue.body):
        return None
    if not _is_covered(issue, intake):
        return None
    if fact.action in TAGGED and (fact.action != "edited" or _says_something_else(fact)):
        return now + timedelta(seconds=intake.delay_seconds) if intake else now
    fallback = intake.fallback_label if intake else None
    if fact.label_added and fallback and _carries(fact.issue, fallback):
        return now if name_key(fact.label_added) != name_key(fallback) else None
    return None


def _is_command(fact: CommentFact) -> bool:
    """Whether a person may have given a command; what they may do is GitHub's to say, later."""
    by_person = fact.action == "created" and not fact.by_bot and not fact.issue.is_pull_request
    return by_person and read_command(fact.body) is not None


def _says_something_else(fact: IssueFact) -> bool:
    """Whether an edit changed words, and not only blanks, case or punctuation."""
    before, issue = (fact.title_before, fact.body_before), fact.issue
    now = (issue.title, issue.body)
    return any(
        old is not None and _WORD.findall(old.casefold()) != _WORD.findall(new.casefold())
        for old, new in zip(before, now, strict=True)
    )


def _carries(issue: Issue, label: str) -> bool:
    return name_key(label) in map(name_key, issue.label_names)


def _keep_issue(
    work: UnitOfWork,
    repository: Repository,
    fact: IssueFact,
    delivery: DeliveryRecord,
    own_login: str | None,
) -> None:
    issue, now = fact.issue, delivery.received_at
    if _is_left_out(fact, repository):
        return
    if fact.action == TRANSFERRED:  # its id may go on in another repository
        work.issues.forget(repository.id, issue.number)
        return
    if fact.action == DELETED:
        texts = ((issue.title, issue.body),)
        number, github_id = issue.number, issue.id
        deleted_issues.forget(work, repository.id, number, now, github_id=github_id, texts=texts)
        return
    record = issue_record(fact.issue, now, fact)
    acts: tuple[TargetAct, ...] = ()
    if fact.label is not None and fact.action in _LABEL_ACTS:
        record = replace(record, labels=_labels_after(work, repository.id, record, fact))
        acts = (TargetAct(fact.label.name, _LABEL_ACTS[fact.action]),)
    elif fact.type and fact.action in _TYPE_ACTS:
        before = work.issues.find(repository.id, record.number)
        record = replace(record, type=_type_after(before, record, fact))
        acts = _type_acts((before and before.type) or _own_type(work, repository, fact), fact)
    elif fact.field and fact.action in _FIELD_ACTS:
        before = work.issues.find(repository.id, record.number)
        record = replace(record, fields=_fields_after(before, record, fact))
        acts = _field_acts(fact.field, fact)
    work.issues.upsert(repository.id, [record])
    if acts:
        events = _events(work, repository, fact, acts, delivery, own_login)
        work.labels.record_events(repository.id, events)


def _keep_comment(
    work: UnitOfWork, repository: Repository, fact: CommentFact, delivery: DeliveryRecord
) -> None:
    """What a comment says is not kept, but for the duplicates that it names."""
    if not delivery.ignored:
        work.issues.upsert(repository.id, [issue_record(fact.issue, delivery.received_at)])
    duplicate_links.hear(work, repository, fact, delivery.received_at)


def _labels_after(
    work: UnitOfWork, repository_id: int, record: IssueRecord, fact: IssueFact
) -> tuple[str, ...]:
    """The issue's labels once this one came or went.

    GitHub tells times in whole seconds, and of one second's webhooks the earlier may come last:
    then only the label that it is about is certain.
    """
    issue = work.issues.find(repository_id, record.number)
    if issue is None or issue.updated_at != record.updated_at or fact.label is None:
        return record.labels
    labels = {name_key(name): name for name in issue.labels}
    if fact.action == "labeled":
        labels[name_key(fact.label.name)] = fact.label.name
    else:
        labels.pop(name_key(fact.label.name), None)
    return tuple(labels.values())


def issue_record(issue: Issue, now: datetime, fact: IssueFact | None = None) -> IssueRecord:
    """An issue of GitHub's as the store keeps it.

    :param fact: where an `edited` event tells what the text was before.
    """
    return IssueRecord(
        number=issue.number,
        title=issue.title,
        body=issue.body,
        labels=tuple(label.name for label in issue.labels),
        created_at=issue.created_at or now,
        is_pull_request=issue.is_pull_request,
        category=issue.category,
        state=issue.state,
        author=issue.user.login if issue.user else None,
        author_association=issue.author_association or None,
        updated_at=issue.updated_at,
        closed_at=issue.closed_at,
        locked=issue.locked,
        type=issue.type,
        fields=issue.fields,
        filed_title=fact.title_before if fact else None,
        filed_body=fact.body_before if fact else None,
        github_id=issue.id,
    )


def _type_after(before: StoredIssue | None, record: IssueRecord, fact: IssueFact) -> str | None:
    """The issue's type once this one came or went; as in `_labels_after`, for the same reason."""
    if before is None or before.updated_at != record.updated_at:
        return record.type
    if fact.action == "typed":
        return fact.type
    return "" if name_key(before.type) == name_key(fact.type or "") else before.type


def _fields_after(
    before: StoredIssue | None, record: IssueRecord, fact: IssueFact
) -> dict[str, str] | None:
    """The issue's fields once one was set or cleared; as in `_labels_after`."""
    same = before is not None and before.updated_at == record.updated_at
    if record.fields is not None and not same:
        return dict(record.fields)
    name = name_key(fact.field or "")
    fields = {} if before is None else dict(before.fields)
    had = next((each for each in fields if name_key(each) == name), None)
    if fact.action == "field_added" and fact.value:
        fields.pop(had or "", None)
        return {**fields, fact.field or "": fact.value}
    if had and (not fact.value or name_key(fields[had]) == name_key(fact.value)):
        del fields[had]
    return fields


def _field_acts(field: str, fact: IssueFact) -> tuple[TargetAct, ...]:
    """What happened to a field's values: one that takes another's place took that away."""
    values = [(fact.value, _FIELD_ACTS[fact.action])]
    if fact.action == "field_added" and name_key(fact.value_before) != name_key(fact.value):
        values.insert(0, (fact.value_before, "removed"))
    return tuple(TargetAct(field_target(field, value), act) for value, act in values if value)


def _own_type(work: UnitOfWork, repository: Repository, fact: IssueFact) -> str:
    """The type that the bot set, of which no webhook may have told yet; "" for none."""
    writes = work.writes.list(
        repository_id=repository.id, number=fact.issue.number, state="written", form="label"
    )
    types = [issue_type_of(write.label) for write in writes if is_type(write.label)]
    return types[-1] if types else ""


def _type_acts(before: str, fact: IssueFact) -> tuple[TargetAct, ...]:
    """What happened to the issue's types: one that takes another's place took that away.

    :param before: the type that the issue had as far as known, "" for none.
    """
    act = TargetAct(type_target(fact.type or ""), _TYPE_ACTS[fact.action])
    changed = act.action == "added" and before and name_key(before) != name_key(fact.type or "")
    return (TargetAct(type_target(before), "removed"), act) if changed else (act,)


def _events(
    work: UnitOfWork,
    repository: Repository,
    fact: IssueFact,
    acts: Sequence[TargetAct],
    delivery: DeliveryRecord,
    own_login: str | None,
) -> list[LabelEvent]:
    own_acts = _own_acts(work, repository, fact)
    keyed = [(act.action, name_key(act.target)) for act in acts]
    kinds = own_acts.kinds_of(fact.sender, own_login, keyed)
    return [
        LabelEvent(
            number=fact.issue.number,
            label=act.target,
            action=act.action,
            at=fact.issue.updated_at or delivery.received_at,
            actor=fact.sender.login if fact.sender else None,
            actor_kind=kind,
            source="webhook",
            key=delivery.guid,
        )
        for act, kind in zip(acts, kinds, strict=True)
    ]


def _own_acts(work: UnitOfWork, repository: Repository, fact: IssueFact) -> OwnActs:
    """What the bot did on the issue, and no webhook has told of yet."""
    number, sender = fact.issue.number, fact.sender.login if fact.sender else None
    writes = work.writes.list(repository_id=repository.id, number=number)
    history = work.labels.history(repository.id, number) if writes else ()
    heard = [
        event
        for event in history
        if event.source == "webhook" and event.actor == sender and event.actor_kind not in PEOPLE
    ]
    # A type that another took the place of went by that very act, which counts once.
    set_by = {event.key for event in heard if event.action == "added"}
    acts = [
        (event.action, name_key(event.label))
        for event in heard
        if event.action == "added" or event.key not in set_by
    ]
    return OwnActs(writes, acts)
