"""What a webhook says, as small facts: from an event's name and its JSON body. No I/O.

A fact keeps what happened, where, and who did it. What to do about it is the service's matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from bot.github.models import (
    SINGLE_SELECT,
    GitHubLabel,
    GitHubRepository,
    Issue,
    User,
    is_field_name,
    parse,
)
from bot.github.payloads import (
    DiscussionPayload,
    InstallationPayload,
    InstallationRepositoriesPayload,
    IssueCommentPayload,
    IssuesPayload,
    LabelPayload,
    Payload,
    PingPayload,
    PullRequestPayload,
    PushPayload,
    RepositoryPayload,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

P = TypeVar("P", bound=Payload)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What all events share.

    :ivar repository: None for events of an installation and an App's ping.
    :ivar installation: the installation's id, None for a repository's own webhook.
    :ivar sender: who did it, None where GitHub leaves it out.
    """

    action: str
    repository: GitHubRepository | None
    installation: int | None
    sender: User | None

    @property
    def by_bot(self) -> bool:
        return self.sender is not None and self.sender.is_bot


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueFact(Fact):
    """`issues`: opened, edited, labeled, typed, closed, reopened, transferred, deleted, …

    `pull_request` and `discussion` likewise: `issue` is the pull request or the discussion then,
    without the id, which is another. A discussion's `created` is called `opened` here.
    :ivar label: the label of a "labeled" or "unlabeled" event.
    :ivar type: name of the type of a "typed" or "untyped" event.
    :ivar field: the single-select field of a "field_added" or "field_removed" event; None where it
        is a field of another kind. `value`: what was set or cleared, `value_before`: what was
        there before it was set; "" where GitHub does not tell.
    :ivar labels_told: whether GitHub says which labels it has; of a discussion it need not.
    :ivar title_before, body_before: what an edit replaced, None where it left that part alone.
    """

    issue: Issue
    label: GitHubLabel | None = None
    type: str | None = None
    field: str | None = None
    value: str = ""
    value_before: str = ""
    title_before: str | None = None
    body_before: str | None = None
    labels_told: bool = True

    @property
    def label_added(self) -> str | None:
        return self.label.name if self.label and self.action == "labeled" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentFact(Fact):
    """`issue_comment`: created, edited, deleted; on pull requests too (`issue` says which)."""

    issue: Issue
    comment_id: int
    body: str
    author: User | None
    author_association: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFact(Fact):
    """`label`: created, edited, deleted. `previous_name` is there when it was renamed."""

    label: GitHubLabel
    previous_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallationFact(Fact):
    """`installation` and `installation_repositories`: where the App may act from now on.

    :ivar account: the login of the user or organisation.
    :ivar gained, lost: repositories' full names.
    :ivar ids: GitHub's ids of those gained, by full name.
    """

    account: str
    gained: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    ids: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RepositoryFact(Fact):
    """`repository`: renamed, transferred, deleted, archived, …

    :ivar previous_full_name: where it was renamed or transferred.
    """

    previous_full_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PushFact(Fact):
    """`push`.

    :ivar branch: empty for a tag.
    :ivar head: the commit now at its tip: what a check run is attached to.
    :ivar paths: files that the listed commits add, change or remove.
    """

    branch: str
    head: str
    to_default_branch: bool
    paths: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class PingFact(Fact):
    """`ping`: GitHub tries out a webhook."""

    hook_id: int | None


def read_event(event: str, payload: object) -> Fact | None:
    """The fact that a delivery states, None for an event that is not used here.

    :param event: the X-GitHub-Event header.
    :param payload: the body, decoded from JSON.
    :raises BadPayload: a used event without what GitHub always sends.
    """
    reader = _READERS.get(event)
    return reader(payload) if reader else None


def _issues(data: object) -> Fact:
    payload = parse(IssuesPayload, data, "issues webhook")
    return IssueFact(
        **_shared(payload),
        issue=payload.issue,
        label=payload.label,
        type=payload.type,
        **_field(payload),
        title_before=_before(payload.changes, "title"),
        body_before=_before(payload.changes, "body"),
    )


def _field(payload: IssuesPayload) -> dict[str, Any]:
    field, value = payload.issue_field, payload.issue_field_value
    if field is None or field.field_type != SINGLE_SELECT or not is_field_name(field.name):
        return {}
    before = _dig(payload.changes, "issue_field_value", "from", "option", "name")
    return {
        "field": field.name,
        "value": value.option.name if value and value.option else "",
        "value_before": before if isinstance(before, str) else "",
    }


def _pull_request(data: object) -> Fact:
    payload = parse(PullRequestPayload, data, "pull_request webhook")
    # As issue and as pull request it goes by two ids; the store knows the issue's.
    link = {"url": payload.pull_request.html_url or "pull request"}
    issue = payload.pull_request.model_copy(update={"id": None, "pull_request": link})
    return IssueFact(
        **_shared(payload),
        issue=issue,
        label=payload.label,
        title_before=_before(payload.changes, "title"),
        body_before=_before(payload.changes, "body"),
    )


def _discussion(data: object) -> Fact:
    payload = parse(DiscussionPayload, data, "discussion webhook")
    shared = _shared(payload)
    return IssueFact(
        **{**shared, "action": _DISCUSSED.get(payload.action, payload.action)},
        issue=payload.discussion.as_issue(),
        label=payload.label,
        title_before=_before(payload.changes, "title"),
        body_before=_before(payload.changes, "body"),
        labels_told=payload.discussion.labels is not None,
    )


_DISCUSSED = {"created": "opened"}


def _issue_comment(data: object) -> Fact:
    payload = parse(IssueCommentPayload, data, "issue_comment webhook")
    comment = payload.comment
    return CommentFact(
        **_shared(payload),
        issue=payload.issue,
        comment_id=comment.id,
        body=comment.body,
        author=comment.user,
        author_association=comment.author_association,
    )


def _label(data: object) -> Fact:
    payload = parse(LabelPayload, data, "label webhook")
    return LabelFact(
        **_shared(payload),
        label=payload.label,
        previous_name=_before(payload.changes, "name"),
    )


def _installation(data: object) -> Fact:
    payload = parse(InstallationPayload, data, "installation webhook")
    names = tuple(repository.full_name for repository in payload.repositories)
    gone = payload.action in {"deleted", "suspend"}
    return InstallationFact(
        **_shared(payload),
        account=_account(payload),
        gained=() if gone else names,
        lost=names if gone else (),
        ids={} if gone else _ids(payload.repositories),
    )


def _installation_repositories(data: object) -> Fact:
    payload = parse(InstallationRepositoriesPayload, data, "installation_repositories webhook")
    return InstallationFact(
        **_shared(payload),
        account=_account(payload),
        gained=tuple(repository.full_name for repository in payload.repositories_added),
        lost=tuple(repository.full_name for repository in payload.repositories_removed),
        ids=_ids(payload.repositories_added),
    )


def _repository(data: object) -> Fact:
    payload = parse(RepositoryPayload, data, "repository webhook")
    return RepositoryFact(**_shared(payload), previous_full_name=_previous_full_name(payload))


def _push(data: object) -> Fact:
    payload = parse(PushPayload, data, "push webhook")
    kind, _, branch = payload.ref.removeprefix("refs/").partition("/")
    branch = branch if kind == "heads" else ""
    default = payload.repository.default_branch if payload.repository else ""
    commits = payload.commits
    return PushFact(
        **_shared(payload),
        branch=branch,
        head=payload.after,
        to_default_branch=bool(branch) and branch == default,
        paths=frozenset(
            path for commit in commits for path in commit.added + commit.removed + commit.modified
        ),
    )


def _ping(data: object) -> Fact:
    payload = parse(PingPayload, data, "ping webhook")
    return PingFact(**_shared(payload), hook_id=payload.hook_id)


_READERS: dict[str, Callable[[object], Fact]] = {
    "issues": _issues,
    "pull_request": _pull_request,
    "discussion": _discussion,
    "issue_comment": _issue_comment,
    "label": _label,
    "installation": _installation,
    "installation_repositories": _installation_repositories,
    "repository": _repository,
    "push": _push,
    "ping": _ping,
}


def _shared(payload: Payload) -> dict[str, Any]:
    return {
        "action": payload.action,
        "repository": payload.repository,
        "installation": payload.installation.id if payload.installation else None,
        "sender": payload.sender,
    }


def _account(payload: InstallationPayload | InstallationRepositoriesPayload) -> str:
    return payload.installation.account.login if payload.installation.account else ""


def _ids(repositories: Iterable[GitHubRepository]) -> dict[str, int]:
    return {
        repository.full_name: repository.id
        for repository in repositories
        if repository.id is not None
    }


def _dig(data: object, *keys: str) -> object:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _before(changes: object, field: str) -> str | None:
    """The value before an edit; an edited field that was null before counts as empty text."""
    change = _dig(changes, field)
    if not isinstance(change, dict):
        return None
    value = change.get("from")
    return value if isinstance(value, str) else ""


def _previous_full_name(payload: RepositoryPayload) -> str | None:
    if payload.repository is None:
        return None
    owner, _, name = payload.repository.full_name.partition("/")
    old_name = _dig(payload.changes, "repository", "name", "from")
    old_owner = _dig(payload.changes, "owner", "from", "user", "login") or _dig(
        payload.changes, "owner", "from", "organization", "login"
    )
    if not old_name and not old_owner:
        return None
    return f"{old_owner or owner}/{old_name or name}"
