"""Logs say what happened and for which delivery, and nothing secret, whoever logs it how."""

from __future__ import annotations

import json
import logging
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.process.logs import HIDDEN, Redactor, during_delivery, set_up_logs
from bot.process.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "correct-horse-battery"
PEM = (
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIIEowIBAAKCAQEAxPSbCQY5mBKFDIn8kQ1aWnqX0vJ7m1d9cJ2u\n"
    "-----END RSA PRIVATE KEY-----"
)
TOKENS = (
    "ghs_16C7e42F292c6912E7710c838347Ae178B4a",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
    "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiI3In0.c2lnbmF0dXJl-_x",
)
log = logging.getLogger("bot.something")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    names = ("httpx", "httpcore", "urllib3", "filelock")
    chatty = {name: logging.getLogger(name).level for name in names}
    yield
    logging.captureWarnings(False)
    root.handlers[:] = before
    root.setLevel(level)
    for name, own in chatty.items():
        logging.getLogger(name).setLevel(own)


def fail(message: str) -> None:
    raise ValueError(message) from KeyError(message)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_json_lines_carry_message_fields_and_delivery(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("json", [])
    with during_delivery("d-1"):
        log.info("labelled %s", "it", extra={"issue": 7, "labels": ["bug"], "score": 0.5})
    log.warning("later")
    first, second = lines(capsys)
    assert first.pop("time").endswith("+00:00")
    assert first == {
        "level": "info",
        "logger": "bot.something",
        "message": "labelled it",
        "delivery": "d-1",
        "issue": 7,
        "labels": ["bug"],
        "score": 0.5,
    }
    assert "delivery" not in second


def test_plain_lines_are_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("text", [])
    with during_delivery("d-1"):
        log.info("labelled", extra={"issue": 7, "labels": ["good first issue"], "repo": "o/n"})
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(
        ' info bot.something labelled delivery=d-1 issue=7 labels=["good first issue"] repo=o/n'
    )


def test_a_second_set_up_replaces_the_first(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("text", [])
    set_up_logs("json", [])
    log.info("once")
    assert [line["message"] for line in lines(capsys)] == ["once"]


def test_warnings_are_logged(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("json", [])
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", stacklevel=1)
    assert "old" in lines(capsys)[0]["message"]


def test_below_its_level_nothing_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("json", [])
    log.debug("quiet")
    logging.getLogger("httpx").info("GET https://api.github.com/…")
    assert lines(capsys) == []


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.parametrize("secret", [SECRET, PEM, *TOKENS])
def test_no_secret_is_in_the_logs_whichever_way_it_came(
    log_format: str, secret: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = load_settings(
        webhook_secret=f"{SECRET},older-secret", github_app_id=7, github_private_key=PEM
    )
    set_up_logs(settings.log_format if log_format == "text" else "json", settings.secrets())
    log.error("secret is %s.", secret)
    log.error("fields", extra={"token": secret, "headers": {"Authorization": [f"Bearer {secret}"]}})
    log.error({"as": ("message", secret)})
    try:
        fail(f"bad {secret}")
    except ValueError:
        log.exception("failed")
    with during_delivery(secret):
        log.info("in a delivery id", stack_info=True)
    text = capsys.readouterr().err
    assert HIDDEN in text
    for line in secret.splitlines()[1:2] or [secret]:
        assert line not in text


def test_wrong_arguments_are_logged_and_not_complained_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs("json", [SECRET])
    record = log.makeRecord(log.name, logging.ERROR, "it.py", 1, "%d left of %s", (SECRET,), None)
    logging.getLogger().handlers[-1].handle(record)  # ours alone: pytest's own handler raises
    assert lines(capsys)[0]["message"] == f"%d left of %s ('{HIDDEN}',)"


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abc123xyz",
        "authorization: token abc123xyz",
        "{'Authorization': 'Basic abc123xyz'}",
        '{"authorization": "abc123xyz"}',
        "headers=[(b'Authorization', b'Bearer abc123xyz')]",
        "Proxy-Authorization=abc123xyz",
        "postgresql+psycopg://me:abc123xyz@db/x",
        "-----BEGIN PRIVATE KEY-----\nabc123xyz",
    ],
)
def test_what_looks_like_a_secret_is_hidden_unasked(text: str) -> None:
    hidden = Redactor()(text)
    assert "abc123xyz" not in hidden
    assert HIDDEN in hidden


def test_a_secret_that_comes_later_is_hidden_from_then_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    redact = set_up_logs("json", [])
    redact.add(SECRET)
    log.info("made an App with %s", SECRET)
    assert lines(capsys)[0]["message"] == f"made an App with {HIDDEN}"


@given(st.text(min_size=4, max_size=30), st.text(max_size=20), st.text(max_size=20))
@example("[redacted", "", "")
@example(HIDDEN * 2, "", "")
def test_a_known_secret_never_survives(secret: str, before: str, after: str) -> None:
    hidden = Redactor([secret])(f"{before}{secret}{after}")
    assert secret not in hidden.replace(HIDDEN, "")


@pytest.mark.parametrize(
    "harmless", ["the authorization failed", "https://github.com/o/n", "x@y", "ghs_ is a prefix"]
)
def test_ordinary_text_stays(harmless: str) -> None:
    assert Redactor()(harmless) == harmless


def test_a_field_named_after_a_secret_is_hidden_whatever_it_holds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs("json", [])
    headers = {"Authorization": ["Bearer opaque"], "Accept": "json"}
    log.info("asked", extra={"headers": headers, "access_token": "opaque", "tokens": 12})
    (line,) = lines(capsys)
    assert line["headers"] == {"Authorization": HIDDEN, "Accept": "json"}
    assert (line["access_token"], line["tokens"]) == (HIDDEN, 12)


def test_no_text_can_fake_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("text", [])
    log.info("title: a\n2025 info bot faked\x1b[2J", extra={"title": "b\u2028c\nd"})
    try:
        fail("e\n2025 info bot faked")
    except ValueError:
        log.exception("failed")
    first, second, *trace = capsys.readouterr().err.splitlines()
    assert "title: a\\x0a2025 info bot faked\\x1b[2J" in first
    assert second.endswith("failed")
    assert all(line.startswith("    ") for line in trace)


def test_a_pasted_log_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs("json", [])
    log.info("x" * 1_000_000)
    assert len(lines(capsys)[0]["message"]) == 10_000


def test_words_no_encoding_takes_are_logged_all_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    set_up_logs("json", [])
    log.info("lone \ud800", extra={"thing": object})
    assert lines(capsys)[0]["message"] == "lone \ud800"
