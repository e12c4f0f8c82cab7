"""What GitHub's REST API answers, read leniently: unknown fields ignored, optional ones optional.

https://docs.github.com/rest. Payloads gain fields without notice, so only what a use case cannot
do without is required.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
)

from bot.github.errors import BadPayload
from store.records import target_of
from store.records.issue_fields import BETWEEN, field_target, is_label
from store.records.issue_types import type_target

if TYPE_CHECKING:
    from collections.abc import Iterable

    from store.records import TargetKind

T = TypeVar("T")


def _readable(value: object) -> object:
    """Null becomes empty; half a surrogate pair and NUL, which no database takes, become "?"."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return value
    whole = value if value.isascii() else value.encode("utf-8", "replace").decode()
    return whole.replace("\0", "?")


def _in_utc(value: datetime) -> datetime:
    """A time without a zone is GitHub's, which is UTC."""
    try:
        return value.astimezone(UTC) if value.tzinfo else value.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("a time outside of all calendars") from None


def _none_as_empty(value: object) -> object:
    return () if value is None else value


def _small_letters(value: object) -> object:
    """`OPEN` of GraphQL is REST's `open`."""
    return value.lower() if isinstance(value, str) else value


def _capitalised(value: object) -> object:
    """`BOT` and `bot` are REST's `Bot`."""
    return value.capitalize() if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_readable)]


_REPOSITORY = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")


def is_full_name(full_name: str) -> bool:
    """Whether a text can be a repository's "OWNER/NAME"."""
    whole = _REPOSITORY.fullmatch(full_name) is not None
    return whole and not {".", ".."} & set(full_name.split("/"))


def _repository_name(value: str) -> str:
    if not is_full_name(value):
        raise ValueError("no repository's OWNER/NAME")
    return value


def _no_truth_value(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("expected a whole number, got true or false")  # noqa: TRY004 - pydantic's
    return value


# What a 64-bit column holds; a larger number is damage, found here and not in the database.
Id = Annotated[int, Field(ge=0, le=2**63 - 1), BeforeValidator(_no_truth_value)]

Moment = Annotated[datetime, AfterValidator(_in_utc)]


class Wire(BaseModel):
    """Anything that came from GitHub."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class User(Wire):
    """A person, a bot (login ends in "[bot]") or an organisation."""

    login: Text = ""
    id: Id | None = None
    type: Annotated[Text, BeforeValidator(_capitalised)] = "User"

    @property
    def is_bot(self) -> bool:
        return self.type == "Bot" or self.login.endswith("[bot]")


class IssueType(Wire):
    """A native type that issues of a repository may have; `is_enabled` is None where not told."""

    name: Text
    description: Text = ""
    id: Id | None = None
    is_enabled: bool | None = None


class AppReference(Wire):
    """The App through which somebody acted."""

    id: Id | None = None
    slug: Text = ""


class GitHubLabel(Wire):
    """A label of a repository or on an issue; `id` is None where GitHub sends the name alone."""

    name: Text
    description: Text = ""
    color: Text = ""
    id: Id | None = None


def _label_object(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


def _looks_like_type(label: object) -> bool:
    """Whether a label's name is one that only a type's target or a field's has here."""
    name = label.get("name") if isinstance(label, dict) else label
    return isinstance(name, str) and not is_label(name)


def _labels(value: object) -> object:
    if not isinstance(value, list):
        return _none_as_empty(value)
    return tuple(
        _label_object(item) for item in value if item is not None and not _looks_like_type(item)
    )


def _users(value: object) -> object:
    """Users without those whose account is gone."""
    return tuple(user for user in value if user is not None) if isinstance(value, list) else ()


def _labels_told(value: object) -> object:
    return None if value is None else _labels(value)


def _no_type(value: object) -> object:
    return None if _looks_like_type(value) else value


def labels_alone(labels: Iterable[GitHubLabel]) -> tuple[GitHubLabel, ...]:
    """Labels without those that would be taken for types or fields: the bot leaves them alone."""
    return tuple(label for label in labels if is_label(label.name))


EventLabel = Annotated[GitHubLabel | None, BeforeValidator(_no_type)]
"""The label that an event is about."""


def _type_name(value: object) -> object:
    return value.get("name") if isinstance(value, dict) else value


TypeName = Annotated[Text | None, BeforeValidator(_readable), BeforeValidator(_type_name)]
"""The name of a native issue type, given as GitHub's object or as text; null becomes ""."""


SINGLE_SELECT = "single_select"


def is_field_name(name: str) -> bool:
    """Whether a target can be made of it, and read again: a few names cannot."""
    return bool(name) and BETWEEN not in name


class FieldOption(Wire):
    """A value that a single-select field may have."""

    name: Text = ""


class IssueField(Wire):
    """A field of an organisation's issues, of which an issue has one value at most.

    :ivar data_type: "text", "single_select", "multi_select", "number" or "date".
    """

    id: Id
    name: Text
    data_type: Text = ""
    options: Annotated[tuple[FieldOption, ...], BeforeValidator(_none_as_empty)] = ()

    @property
    def targets(self) -> tuple[str, ...]:
        """Targets of the values of a single-select field (`store.records.issue_fields`)."""
        if self.data_type != SINGLE_SELECT or not is_field_name(self.name):
            return ()
        return tuple(field_target(self.name, option.name) for option in self.options)


class IssueFieldValue(Wire):
    """The value that an issue has in a field."""

    issue_field_name: Text = ""
    data_type: Text = ""
    single_select_option: FieldOption | None = None


class Issue(Wire):
    """An issue, or a pull request where `pull_request` is there, or a discussion.

    :ivar type: name of its native type, "" for none; None where GitHub does not tell.
    :ivar issue_field_values: None where GitHub does not tell.
    :ivar category: name of a discussion's category; None for what is no discussion.
    """

    number: Id
    id: Id | None = None
    title: Text = ""
    body: Text = ""
    state: Annotated[Text, BeforeValidator(_small_letters)] = "open"
    user: User | None = None
    author_association: Text = ""
    labels: Annotated[tuple[GitHubLabel, ...], BeforeValidator(_labels)] = ()
    assignees: Annotated[tuple[User, ...], BeforeValidator(_users)] = ()
    created_at: Moment | None = None
    updated_at: Moment | None = None
    closed_at: Moment | None = None
    pull_request: dict[str, Any] | None = None
    locked: bool | None = None
    type: TypeName = None
    category: str | None = None
    html_url: Text = ""
    repository_url: Text = ""
    issue_field_values: tuple[IssueFieldValue, ...] | None = None

    @property
    def fields(self) -> dict[str, str] | None:
        """Its single-select fields by name, each with its value; None where not told."""
        if self.issue_field_values is None:
            return None
        return {
            value.issue_field_name: value.single_select_option.name
            for value in self.issue_field_values
            if value.data_type == SINGLE_SELECT
            and value.single_select_option is not None
            and value.single_select_option.name
            and is_field_name(value.issue_field_name)
        }

    @property
    def label_names(self) -> frozenset[str]:
        return frozenset(label.name for label in self.labels)

    @property
    def target_names(self) -> frozenset[str]:
        """The labels, and the targets of its type and its fields where it has any.

        By the names of `store.records.issue_types` and `store.records.issue_fields`.
        """
        values = {field_target(*pair) for pair in (self.fields or {}).items()}
        return self.label_names | ({type_target(self.type)} if self.type else set()) | values

    @property
    def is_pull_request(self) -> bool:
        return bool(self.pull_request)  # one with nothing in it is none

    @property
    def target(self) -> TargetKind:
        return target_of(is_pull_request=self.is_pull_request, category=self.category)


class Category(Wire):
    """What a discussion is filed under."""

    name: Text = ""


class Discussion(Wire):
    """A discussion as its webhooks show it; `labels` is None where GitHub leaves them out."""

    number: Id
    title: Text = ""
    body: Text = ""
    state: Annotated[Text, BeforeValidator(_small_letters)] = "open"
    user: User | None = None
    author_association: Text = ""
    labels: Annotated[tuple[GitHubLabel, ...] | None, BeforeValidator(_labels_told)] = None
    category: Category = Category()
    created_at: Moment | None = None
    updated_at: Moment | None = None
    locked: bool | None = None
    html_url: Text = ""
    repository_url: Text = ""

    def as_issue(self) -> Issue:
        """As what is labelled here; without the id, for issues have ids of their own."""
        fields = {name: getattr(self, name) for name in _SHARED}
        state = "closed" if self.state == "closed" else "open"  # "locked" is told by `locked` too
        category = self.category.name
        return Issue(**fields, state=state, labels=self.labels or (), category=category)


_SHARED = (
    "number", "title", "body", "user", "author_association", "created_at", "updated_at", "locked",
    "html_url", "repository_url",
)  # fmt: skip


class ChangedFile(Wire):
    """A file that a pull request changes."""

    filename: Text = ""


class IssueEvent(Wire):
    """One entry of an issue's timeline or of a repository's issue events.

    :ivar event: "labeled", "unlabeled", "issue_type_added", "renamed", "commented", …
    :ivar issue: only in a repository's events.
    :ivar issue_type: name of the native type that the issue has from then on; `prev_issue_type`:
        of the one that it had before. An event that is about none has neither.
    """

    event: Text = ""
    id: Id | None = None
    actor: User | None = None
    created_at: Moment | None = None
    label: EventLabel = None
    issue: Issue | None = None
    issue_type: TypeName = None
    prev_issue_type: TypeName = None
    performed_via_github_app: AppReference | None = None


class Comment(Wire):
    id: Id
    body: Text = ""
    user: User | None = None
    author_association: Text = ""
    created_at: Moment | None = None
    updated_at: Moment | None = None
    html_url: Text = ""
    issue_url: Text = ""
    performed_via_github_app: AppReference | None = None

    @property
    def issue_number(self) -> int | None:
        """Of the issue that it stands on; None where GitHub does not tell."""
        match = re.search(r"/issues/(\d{1,10})$", self.issue_url)
        return int(match[1]) if match else None


class Suggestion(Wire):
    """A change to an issue that waits for a person: a label, a type, an assignee.

    :ivar action: add_label, set_type, add_field, add_assignee or close_issue.
    :ivar state: pending, applied, approved, dismissed, replaced or invalidated.
    :ivar target_id: the label's, type's or person's id: ids of these may be the same number.
    :ivar actor_id: who proposed it; `resolved_by`: who approved or dismissed it (user ids).
    """

    id: Id
    action: Text = ""
    state: Text = "pending"
    target_id: Id | None = None
    target_value: Any = None
    rationale: Text = ""
    confidence: Text = ""
    actor_id: Id | None = None
    resolved_by: Id | None = None
    created_at: Moment | None = None
    updated_at: Moment | None = None


class GitHubRepository(Wire):
    full_name: Annotated[Text, AfterValidator(_repository_name)]
    id: Id | None = None
    owner: User | None = None
    private: bool | None = None
    archived: bool | None = None
    has_issues: bool | None = None
    has_discussions: bool | None = None
    default_branch: Text = ""
    permissions: dict[str, Any] = Field(default_factory=dict)
    role_name: Text = ""

    def allows(self, permission: str) -> bool:
        """Whether whoever asked has this permission: "pull", "triage", "push", … "admin"."""
        return self.permissions.get(permission) is True

    @property
    def name(self) -> str:
        return self.full_name.partition("/")[2]


class Permission(Wire):
    """What a user may do in a repository. `role_name` is finer than `permission`."""

    permission: Text = "none"
    role_name: Text = ""

    def reaches(self, role: str) -> bool:
        """Has this role or a higher one; a custom role counts as the permission it builds on."""
        return max(map(_rank, (self.permission, self.role_name))) >= _rank(role)


ROLES = ("none", "read", "triage", "write", "maintain", "admin")
"""https://docs.github.com/organizations/managing-user-access-to-your-organizations-repositories"""


def _rank(role: str) -> int:
    """A role's place among `ROLES`; an unknown one's is the lowest."""
    return ROLES.index(role) if role in ROLES else 0


class Commit(Wire):
    sha: Text


class CheckRun(Wire):
    id: Id
    name: Text = ""
    head_sha: Text = ""
    status: Text = ""
    conclusion: Text = ""


class App(Wire):
    id: Id
    slug: Text = ""
    name: Text = ""
    owner: User | None = None
    html_url: Text = ""
    events: tuple[Text, ...] = ()

    @property
    def bot_login(self) -> str:
        """The login under which the App's actions appear."""
        return f"{self.slug}[bot]"


class NewApp(App):
    """What the manifest flow hands over, once: keep it with mode 0600, never log it."""

    pem: SecretStr
    webhook_secret: SecretStr | None = None
    client_id: Text = ""
    client_secret: SecretStr | None = None


class InstallationReference(Wire):
    """The installation through which an App sees something, by its id alone."""

    id: Id


class AppInstallation(InstallationReference):
    account: User | None = None
    repository_selection: Text = ""
    suspended_at: Moment | None = None
    permissions: dict[str, Any] = Field(default_factory=dict)


class InstallationToken(Wire):
    """Lets the App act in one installation, for an hour."""

    token: SecretStr
    expires_at: Moment


class HookDelivery(Wire):
    """One attempt of GitHub to deliver a webhook; `guid` is its X-GitHub-Delivery."""

    id: Id
    guid: Text
    event: Text = ""
    action: Text = ""
    status: Text = ""
    status_code: int = 0
    redelivery: bool = False
    delivered_at: Moment | None = None
    installation_id: Id | None = None
    repository_id: Id | None = None

    @property
    def succeeded(self) -> bool:
        return 200 <= self.status_code < 400


class SentRequest(Wire):
    """What GitHub posted, or tried to."""

    payload: dict[str, Any] | None = None


class WholeHookDelivery(HookDelivery):
    """An attempt with what was sent; GitHub keeps it for three days."""

    request: SentRequest = SentRequest()


def parse(shape: type[T], data: object, what: str) -> T:
    """Read JSON data as `shape`.

    :raises BadPayload: naming the fields, never their content: it may be private.
    """
    try:
        return TypeAdapter(shape).validate_python(data)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'the whole'}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)[:5]
        )
        raise BadPayload(f"{what}: not in the shape that GitHub documents: {problems}") from None


class UserToken(Wire):
    """Lets the App act for a person who signed in; never logged, never kept in a table."""

    access_token: SecretStr
    token_type: Text = ""
    expires_in: int | None = None
