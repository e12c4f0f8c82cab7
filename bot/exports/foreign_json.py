"""JSON that holds no issues, known by its first value: labels, comments, errors, bare texts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.exports import shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.exports.refusals import ExportSource

_SHOWN_KEYS = 5
_SHOWN_CHARACTERS = 60
_OTHER_OBJECTS = (
    ({"body", "issue_url"}, "a list of comments on issues, not of issues"),
    ({"event", "actor"}, "a list of events of issues, not of issues"),
    ({"full_name", "owner"}, "a list of repositories, not of issues"),
)
_KINDS = {str: "texts", bool: "truth values", int: "numbers", float: "numbers"}


def refuse_foreign_value(value: object, source: ExportSource, *, alone: bool = False) -> None:
    """Refuse a file whose first value is this, where that is known to be no issue.

    :param alone: also where it is an object of an unknown kind; among lines it may be a stray one.
    :raises ExportRefused: naming what it is.
    """
    if not isinstance(value, dict):
        if alone and type(value) in _KINDS:
            what = f"a list of {_KINDS[type(value)]}, not of issues"
            raise source.refuse(what, source.fetched_anew())
        return
    if _is_labels(value):
        raise source.refuse("a list of labels, not of issues", _with_labels(source))
    what = _seen(value) or (_unknown(value) if alone else "")
    if what:
        raise source.refuse(what, source.fetched_anew())


def _is_labels(value: Mapping[str, Any]) -> bool:
    return {"name", "color"} <= set(value) and not {"title", "number"} & set(value)


def _with_labels(source: ExportSource) -> str:
    issues = source.target
    reading = f"issue-tagger import {issues} --repo {source.name} --labels {source.file}"
    return f"{source.fetched_anew()} && {reading}"


def _seen(value: Mapping[str, Any]) -> str:
    """What an object that is known, and no issue, is."""
    if {"number", "title"} & set(value):
        return ""
    if isinstance(value.get("errors"), list) and not value.get("data"):
        messages = [error.get("message") for error in value["errors"] if isinstance(error, dict)]
        return f"an error of GitHub's GraphQL API ({_shown(messages[0] if messages else '')})"
    if "message" in value and {"documentation_url", "status"} & set(value):
        return f"an error of GitHub's API ({_shown(value['message'])})"
    return next((what for keys, what in _OTHER_OBJECTS if keys <= set(value)), "")


def _unknown(value: Mapping[str, Any]) -> str:
    candidate = next(iter(shapes.issues_in(value)), None)
    if candidate is None or candidate.kind != shapes.UNKNOWN:
        return ""
    keys = ", ".join(_shown(key) for key in list(value)[:_SHOWN_KEYS]) or "nothing in it"
    return f"made of JSON objects with {keys}, which are no issues"


def _shown(text: object) -> str:
    """A key or a message of an API on one line: never the text of an issue."""
    return " ".join(str(text).split())[:_SHOWN_CHARACTERS]
