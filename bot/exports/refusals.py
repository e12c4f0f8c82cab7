"""What is said of a file that is no export: the shape that was seen, and the command that helps."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import CommandRefused

if TYPE_CHECKING:
    from pathlib import Path

GH_FIELDS = "number,title,body,labels,state,createdAt,updatedAt,closedAt,author,url"
"""What `gh issue list --json` is to be asked for."""

_UNPACKING = {"gzip": "gzip -dc", "zstd": "zstd -dc"}


class ExportRefused(CommandRefused):
    """A file that cannot be read as it is.

    :ivar seen: the shape it has.
    :ivar command: a shell's command that makes a file that is read, or reads this one.
    """

    def __init__(self, file: str, what: str, command: str) -> None:
        self.seen = what
        self.command = command
        super().__init__(_printable(f"{file} is {what}; what makes it readable: `{command}`"))


def _printable(text: str) -> str:
    """Without what a terminal obeys: columns, keys and messages come from the file."""
    return "".join(character if character.isprintable() else " " for character in text)


@dataclass(frozen=True, slots=True)
class ExportSource:
    """Where an export comes from, as far as commands have to name it.

    :ivar repository: the OWNER/NAME that it is imported into, where that is known.
    :ivar packing: "gzip", "zstd", or "" where the file is plain.
    """

    path: Path
    repository: str = ""
    packing: str = ""

    def refuse(self, what: str, command: str) -> ExportRefused:
        """The refusal of this file."""
        return ExportRefused(str(self.path), what, command)

    @property
    def file(self) -> str:
        """The file's name as a shell takes it."""
        return shlex.quote(str(self.path))

    @property
    def target(self) -> str:
        """The file that commands write: beside this one, and never this one itself."""
        return shlex.quote(f"{self.path}.json")

    @property
    def name(self) -> str:
        """The repository as a shell takes it."""
        return shlex.quote(self.repository or "OWNER/NAME")

    def fetched_anew(self) -> str:
        """All issues from GitHub's REST API, a page of a hundred after the other."""
        address = f"repos/{self.repository or 'OWNER/NAME'}/issues?state=all&per_page=100"
        return f"gh api --paginate {shlex.quote(address)} > {self.target}"

    def listed_anew(self) -> str:
        """All issues by `gh issue list`, with the fields that import needs."""
        return (
            f"gh issue list --repo {self.name} --state all --limit 1000000 "
            f"--json {GH_FIELDS} > {self.target}"
        )

    def piped_through(self, program: str, target: str = "") -> str:
        """The file's content through a program that reads stdin and writes stdout."""
        unpacking = _UNPACKING.get(self.packing, "")
        target = target or self.target
        if unpacking:
            return f"{unpacking} {self.file} | {program} > {target}"
        return f"{program} < {self.file} > {target}"

    def imported(self, *options: str) -> str:
        """The import of this very file with further options."""
        words = " ".join(shlex.quote(option) for option in options)
        return f"issue-tagger import {self.file} --repo {self.name} {words}".rstrip()

    def to_utf8(self, encoding: str) -> str:
        """The content from another encoding in UTF-8."""
        program = f"iconv -f {encoding} -t UTF-8"
        return self.piped_through(program, shlex.quote(f"{self.path}.utf8"))
