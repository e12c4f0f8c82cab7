"""What a job of GitHub Actions is given, and where it may answer.

https://docs.github.com/actions/reference/workflows-and-actions/variables
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import CommandRefused

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from bot.process.settings import ActionsEnvironment


@dataclass(frozen=True)
class Job:
    """One run of the Action in a repository's workflow."""

    environment: ActionsEnvironment

    @property
    def repository(self) -> str:
        """OWNER/NAME.

        :raises CommandRefused: this is no job of GitHub Actions.
        """
        if not self.environment.repository:
            raise CommandRefused(
                "GITHUB_REPOSITORY is not set: `issue-tagger action` runs within GitHub Actions; "
                "elsewhere use `issue-tagger tag`, `retrain`, `report` or `backfill`"
            )
        return self.environment.repository

    @property
    def guid(self) -> str:
        """Names the event as a delivery: a run that is started again is another one."""
        return f"action-{self.environment.run_id}-{self.environment.run_attempt}"

    def event(self) -> tuple[str, dict[str, Any]]:
        """Name and payload of the event that started the workflow.

        :raises CommandRefused: the event's file is missing or holds no object.
        """
        path = self.environment.event_path
        try:
            payload = json.loads(path.read_text("utf-8")) if path else None
        except (OSError, ValueError) as error:
            raise CommandRefused(f"the event's file {path} cannot be read: {error}") from None
        if not isinstance(payload, dict):
            raise CommandRefused(
                "there is no event to act on: GITHUB_EVENT_PATH names no file that holds one"
            )
        return self.environment.event_name, payload

    def summarise(self, markdown: str) -> None:
        """Add to the job's summary, where there is one."""
        _append(self.environment.step_summary, f"{markdown.rstrip()}\n\n")

    def put_out(self, outputs: Mapping[str, str]) -> None:
        """Set outputs of the step; values of several lines are safe between random delimiters."""
        for name, value in outputs.items():
            mark = f"end-{secrets.token_hex(8)}"
            _append(self.environment.output, f"{name}<<{mark}\n{value}\n{mark}\n")


def _append(path: Path | None, text: str) -> None:
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
