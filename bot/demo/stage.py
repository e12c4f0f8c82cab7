"""The simulated GitHub as the demonstration needs it: labels, configuration, issues filed anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.configuration.effective import CONFIGURATION_PATH
from bot.github.models import User
from bot.simulator.state import GitHubState
from bot.simulator.wire import issue_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.simulator.records import Delivery
    from store.records import IssueRecord, LabelRecord, StoredLabel

TOKEN = "demo-token"  # noqa: S105 - opens nothing but the simulator
BOT = "issue-tagger[bot]"
PRECISION = 0.8
CONFIGURATION = f"""\
version: 1
mode: apply
precision: {PRECISION}
delay_seconds: 0
"""


def set_up(repository: str, labels: Iterable[LabelRecord | StoredLabel]) -> GitHubState:
    """A GitHub with one repository: its labels and its configuration file, and no issues."""
    state = GitHubState()
    state.add_repository(repository)
    for label in labels:
        state.add_label(repository, label.name, label.description, label.color or "ededed")
    state.add_token(TOKEN, BOT)
    state.set_role(repository, BOT, "write")
    state.push_file(repository, CONFIGURATION_PATH, CONFIGURATION)
    return state


def file_anew(state: GitHubState, repository: str, issue: IssueRecord) -> Delivery:
    """File an issue under its own number, open and without labels; returns the webhook."""
    now = state.now().isoformat()
    author = issue.author or "reporter"
    row = {
        "number": issue.number,
        "title": issue.title,
        "body": issue.body,
        "user": User(login=author).model_dump(),
        "created_at": now,
    }
    with state.lock:
        record = state.import_issue(repository, row)
        there = state.repository(repository)
        content = {"action": "opened", "issue": issue_json(there, record, state.url)}
        return state.emit("issues", author, there, content)
