"""Everything `bot` raises on purpose.

BotError
├── SettingsInvalid         an environment variable is wrong; `.problems` has one line for each
├── ConfigurationInvalid    .github/issue-tagger.yml cannot be used; `.problems` names the lines
├── CommandRefused          a command cannot do what was asked, and says why (exit status 1)
│   └── ExportRefused       a file that is no export, with the command that helps: `export_refusals`
├── IssueBusy               somebody else writes on the issue just now (`bot.labelling.issue_lease`)
├── LookAgain               what a write was planned by holds no more: look, and plan anew
└── GitHubError             GitHub did not do what was asked: see the tree in `bot/github/errors.py`
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.configuration.problems import Problem


class BotError(Exception):
    """The root: a message for people that says what was got, what was expected, what to do."""


class SettingsInvalid(BotError):
    """The environment holds settings that cannot be used.

    :ivar problems: one sentence for each variable, none of them quoting a secret.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(("the environment cannot be used:", *self.problems)))


class ConfigurationInvalid(BotError):
    """A repository's configuration file that must change nothing, because it is wrong.

    :ivar problems: all of them, in the order of their lines.
    """

    def __init__(self, problems: Iterable[Problem], file: str = ".github/issue-tagger.yml") -> None:
        self.problems = tuple(problems)
        self.file = file
        super().__init__("\n".join(f"{file}:{problem}" for problem in self.problems))


class SnapshotOutdated(BotError):
    """What a write was planned by holds no more; nothing was written, or it was taken back."""


class CommandRefused(BotError):
    """A command or use case that says no, with the reason: nothing was changed."""
