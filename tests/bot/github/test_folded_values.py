"""Values that GitHub's APIs write in different letters are one value from where they come in."""

from __future__ import annotations

import pytest

from bot.github.models import Issue, User


@pytest.mark.parametrize(("state", "folded"), [("OPEN", "open"), ("closed", "closed"), (None, "")])
def test_an_issues_state_is_in_small_letters(state: str | None, folded: str) -> None:
    assert Issue.model_validate({"number": 7, "state": state}).state == folded


@pytest.mark.parametrize("kind", ["Bot", "BOT", "bot"])
def test_a_bot_is_one_in_any_letters(kind: str) -> None:
    user = User.model_validate({"login": "lamp", "type": kind})
    assert (user.type, user.is_bot) == ("Bot", True)


@pytest.mark.parametrize("link", [None, {}, {"url": "https://api.github.test/repos/o/n/pulls/7"}])
def test_a_pull_request_with_nothing_in_it_is_none(link: dict[str, str] | None) -> None:
    issue = Issue.model_validate({"number": 7, "pull_request": link})
    assert issue.is_pull_request is bool(link)
