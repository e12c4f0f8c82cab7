"""From the file's text to a configuration, or to every problem that it has."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from bot.configuration.contradictions import contradictions, excesses
from bot.configuration.document import read_document
from bot.configuration.model import RepositoryConfiguration
from bot.configuration.problems import Problem, shortened, written
from bot.configuration.schema import known_keys
from bot.errors import ConfigurationInvalid

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from bot.configuration.document import Document
    from bot.configuration.problems import Path

MAX_PROBLEMS = 100
"""More than these are not told at once: each takes time to put into words."""


def parse(text: str | bytes) -> RepositoryConfiguration:
    """Read `.github/issue-tagger.yml`; an empty file means the defaults.

    :param text: the file as it is, at most 64 KiB of UTF-8.
    :raises ConfigurationInvalid: naming every problem with its line and key.
    """
    document = read_document(text)
    configuration, problems = _validated(document)
    problems += document.problems
    if configuration is not None:
        problems += [
            Problem(document.line_of(path), written(path), message)
            for path, message in (*contradictions(configuration), *excesses(configuration))
        ]
    if problems or configuration is None:
        raise ConfigurationInvalid(sorted(set(problems))[:MAX_PROBLEMS])
    return configuration


def _validated(document: Document) -> tuple[RepositoryConfiguration | None, list[Problem]]:
    """The configuration, without the top-level keys that are wrong, and what is wrong with them."""
    try:
        return RepositoryConfiguration.model_validate(document.data), []
    except ValidationError as error:
        errors = error.errors(include_url=False)
    problems = [_problem(document, error) for error in errors[:MAX_PROBLEMS]]
    wrong = {error["loc"][0] for error in errors if error["loc"]}
    if not wrong:
        return None, problems
    sound = {key: value for key, value in document.data.items() if key not in wrong}
    return RepositoryConfiguration.model_validate(sound), problems


def _problem(document: Document, error: ErrorDetails) -> Problem:
    path: Path = tuple(step for step in error["loc"] if step != "[key]")
    return Problem(document.line_of(path), written(path), _message(path, error))


def _message(path: Path, error: ErrorDetails) -> str:
    context: dict[str, Any] = error.get("ctx", {})
    got = shortened(_in_yaml(error["input"]))
    match error["type"]:
        case "extra_forbidden":
            message = _unknown_key(str(path[-1]), known_keys(path[:-1]))
        case "enum" | "literal_error":
            message = _unknown_word(got, context["expected"])
        case "value_error":
            message = str(context["error"])
        case "string_pattern_mismatch":
            message = f"got {got!r}, expected text without control characters or blanks at its ends"
        case "model_type" | "dict_type":
            message = f"got {got}, expected keys with values"
        case "tuple_type":
            message = f"got {got}, expected a list, such as [{got}]"
        case "string_type":
            message = f'got {got}, expected text; put it in quotes: "{got}"'
        case "too_short" | "too_long":
            message = f"got {len(error['input'])} of them, expected {_bound(context)}"
        case _:
            message = f"got {got}, {error['msg'].replace('Input should', 'it should')}"
    return message


def _bound(context: dict[str, Any]) -> str:
    least, most = context.get("min_length"), context.get("max_length")
    return f"at least {least}" if most is None else f"at most {most}"


def _unknown_key(key: str, keys: list[str]) -> str:
    get_close_matches = difflib.get_close_matches(key.lower(), keys, n=1, cutoff=0.5)
    hint = (
        f"did you mean {get_close_matches[0]!r}?"
        if get_close_matches
        else f"known are {', '.join(keys)}"
    )
    return f"unknown key; {hint}"


def _unknown_word(got: str, expected: str) -> str:
    words = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    get_close_matches = difflib.get_close_matches(got.lower(), words, n=1, cutoff=0.5)
    hint = f"; did you mean {get_close_matches[0]!r}?" if get_close_matches else ""
    return f"got {got!r}, expected {expected.replace(chr(39), '')}{hint}"


def _in_yaml(value: Any) -> str:
    """A value as the file's author would recognise it."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "keys with values"
        case list() | tuple():
            return "a list"
    return str(value)
