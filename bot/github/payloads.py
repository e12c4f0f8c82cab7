"""Webhook bodies as GitHub sends them, read leniently like everything from GitHub.

https://docs.github.com/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from bot.github.models import (
    AppInstallation,
    Comment,
    Discussion,
    EventLabel,
    FieldOption,
    GitHubLabel,
    GitHubRepository,
    Id,
    InstallationReference,
    Issue,
    Text,
    TypeName,
    User,
    Wire,
)


def _list(value: object) -> object:
    return () if value is None else value


class Payload(Wire):
    """What all webhook bodies share; an App's carry `installation`, a repository's do not."""

    action: Text = ""
    repository: GitHubRepository | None = None
    installation: InstallationReference | None = None
    sender: User | None = None


class FieldReference(Wire):
    """The field that an event is about."""

    name: Text = ""
    field_type: Text = ""


class ChosenValue(Wire):
    """A field's value in an event: `option` where it is a single-select field's."""

    option: FieldOption | None = None


class IssuesPayload(Payload):
    """`type`: the name of the type that was set (`typed`) or taken away (`untyped`).

    `issue_field` and `issue_field_value`: what was set (`field_added`) or cleared
    (`field_removed`); `changes` has the value that was there before.
    """

    issue: Issue
    label: EventLabel = None
    type: TypeName = None
    issue_field: FieldReference | None = None
    issue_field_value: ChosenValue | None = None
    changes: dict[str, Any] | None = None


class PullRequestPayload(Payload):
    pull_request: Issue
    label: GitHubLabel | None = None
    changes: dict[str, Any] | None = None


class DiscussionPayload(Payload):
    discussion: Discussion
    label: EventLabel = None
    changes: dict[str, Any] | None = None


class IssueCommentPayload(Payload):
    issue: Issue
    comment: Comment
    changes: dict[str, Any] | None = None


class LabelPayload(Payload):
    label: GitHubLabel
    changes: dict[str, Any] | None = None


class InstallationPayload(Payload):
    installation: AppInstallation
    repositories: Annotated[tuple[GitHubRepository, ...], BeforeValidator(_list)] = ()


class InstallationRepositoriesPayload(Payload):
    installation: AppInstallation
    repositories_added: Annotated[tuple[GitHubRepository, ...], BeforeValidator(_list)] = ()
    repositories_removed: Annotated[tuple[GitHubRepository, ...], BeforeValidator(_list)] = ()


class RepositoryPayload(Payload):
    changes: dict[str, Any] | None = None


class PushedCommit(Wire):
    added: Annotated[tuple[Text, ...], BeforeValidator(_list)] = ()
    removed: Annotated[tuple[Text, ...], BeforeValidator(_list)] = ()
    modified: Annotated[tuple[Text, ...], BeforeValidator(_list)] = ()


class PushPayload(Payload):
    ref: Text
    after: Text = ""
    commits: Annotated[tuple[PushedCommit, ...], BeforeValidator(_list)] = ()


class PingPayload(Payload):
    hook_id: Id | None = None
    zen: Text = ""
