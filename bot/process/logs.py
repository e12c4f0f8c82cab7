"""Structured logs on stderr: one line an event, with the delivery it belongs to, without secrets.

Fields go in as `extra`: `log.info("labelled", extra={"issue": 7, "labels": ["bug"]})`. Bodies of
issues never belong there. Everything that leaves is redacted at the very end, when message,
fields and traceback are text.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

HIDDEN = "[redacted]"
MAX_CHARACTERS = 10_000
"""A field's cap: a traceback fits, a pasted log in an error message does not."""

current_delivery: ContextVar[str | None] = ContextVar("current_delivery", default=None)
"""The id of the delivery being worked on; threads started by `asyncio.to_thread` inherit it."""

_MIN_SECRET = 4
"""Hiding texts shorter than this would hide half of every line and protect nothing."""

_SECRET_SHAPES = (
    # every kind of GitHub token: https://github.blog/engineering/platform-security/behind-githubs-new-authentication-token-formats/
    re.compile(r"\b(?:gh[a-z]_|github_pat_)[\w.-]{10,}"),
    re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]+"),  # a JSON Web Token
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.DOTALL),
    re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),  # user:password@ in an address
)
_HEADER = re.compile(
    r"""((?:proxy-)?authorization\b['"]?\s*[:=,][\s\[(]*(?:b(?=['"]))?['"]?)"""
    r"""(?:(?:bearer|token|basic)\s+)?[^\s'",)}\]]+""",
    re.IGNORECASE,
)
_SECRET_FIELD = re.compile(
    r"(?:.*[-_ ])?(?:authorization|secret|password|token|private[-_]key|cookie)", re.IGNORECASE
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}


class Redactor:
    """Hides secrets in text: those that it was told, and those that look like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """Hide this text too, from now on; and each line of a key, which may be printed alone."""
        lines = [secret, *(line for line in secret.splitlines() if len(line) > 30)]
        self._secrets.update(line for line in lines if len(line) >= _MIN_SECRET)

    def __call__(self, text: str) -> str:
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, HIDDEN)
        for shape in _SECRET_SHAPES:
            text = shape.sub(HIDDEN, text)
        return _HEADER.sub(rf"\1{HIDDEN}", text)


class _Structured(logging.Formatter):
    """Turns a record into fields, redacts each, and leaves their layout to its subclasses."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self.redact = redact

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            "delivery": current_delivery.get(),
            **{key: value for key, value in vars(record).items() if key not in _STANDARD},
            "error": self.formatException(record.exc_info) if record.exc_info else None,
            "stack": record.stack_info,
        }
        return self.layout(self._clean({k: v for k, v in fields.items() if v is not None}))

    def layout(self, fields: dict[str, Any]) -> str:
        raise NotImplementedError

    def _clean(self, value: Any) -> Any:
        if isinstance(value, bool | int | float):
            return value
        if isinstance(value, dict):
            return {
                self._clean(str(key)): HIDDEN
                if _SECRET_FIELD.fullmatch(str(key))
                else self._clean(inner)
                for key, inner in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(inner) for inner in value]
        return self.redact(str(value))[:MAX_CHARACTERS]


class JsonLines(_Structured):
    """One JSON object a line, for machines."""

    def layout(self, fields: dict[str, Any]) -> str:
        return json.dumps(fields)


class PlainLines(_Structured):
    """One line for people; a traceback follows it, indented, so that no text can fake a line."""

    def layout(self, fields: dict[str, Any]) -> str:
        head = [_one_line(fields.pop(key)) for key in ("time", "level", "logger", "message")]
        below = [fields.pop(key) for key in ("error", "stack") if key in fields]
        pairs = [f"{_one_line(key)}={_shown(value)}" for key, value in fields.items()]
        indented = [f"    {_one_line(line)}" for text in below for line in text.splitlines()]
        return "\n".join([" ".join([*head, *pairs]), *indented])


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stderr` is at that moment: a progress bar puts itself in its place."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]  # an attribute in the base class
        return sys.stderr


def set_up_logs(
    log_format: Literal["text", "json"], secrets: Iterable[str], level: int = logging.INFO
) -> Redactor:
    """Send the process's logs to stderr; a second call replaces the first.

    :param secrets: texts that must never appear, see `Settings.secrets`.
    :returns: the redactor, to be told of secrets that come later.
    """
    redact = Redactor(secrets)
    handler = _Stderr()
    handler.setFormatter((JsonLines if log_format == "json" else PlainLines)(redact))
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _Stderr)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for chatty in ("httpx", "httpcore", "urllib3", "filelock"):  # a line for every request
        logging.getLogger(chatty).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)
    return redact


def hide(secret: str) -> None:
    """Keep a secret that came later out of this process's logs as well."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _Stderr) and isinstance(handler.formatter, _Structured):
            handler.formatter.redact.add(secret)


@contextmanager
def during_delivery(delivery: str) -> Iterator[None]:
    """Every line logged inside names this delivery."""
    token = current_delivery.set(delivery)
    try:
        yield
    finally:
        current_delivery.reset(token)


def _message(record: logging.LogRecord) -> str:
    """The message with its arguments; logging's own complaint about wrong ones shows secrets."""
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} {record.args!r}"


def _one_line(text: str) -> str:
    return _CONTROL.sub(lambda match: f"\\x{ord(match.group()):02x}", text)


def _shown(value: Any) -> str:
    """A field's value; quoted as JSON where blanks or quotes would blur where it ends."""
    if isinstance(value, str) and re.fullmatch(r"[\w./:@+#-]+", value):
        return value
    return _one_line(json.dumps(value, ensure_ascii=False))
