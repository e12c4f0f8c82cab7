"""Requests about a repository: its files, who may do what, and check runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from bot.github.errors import BadPayload, NotFound
from bot.github.exchange import Request
from bot.github.models import AppInstallation, CheckRun, Commit, GitHubRepository, Permission
from bot.github.resource import Resource, repository_path, segment

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class FileText:
    """A file's text, or, where `unchanged`, the news that the ETag handed in still holds."""

    text: str
    etag: str | None
    unchanged: bool = False


class RepositoryRequests(Resource):
    """https://docs.github.com/rest/repos and https://docs.github.com/rest/checks"""

    async def repository(self, repository: str) -> GitHubRepository:
        """:raises NotFound: no such repository, or not visible."""
        return await self._read(GitHubRepository, Request("GET", repository_path(repository)))

    async def contents(
        self, repository: str, path: str, *, etag: str | None = None
    ) -> FileText | None:
        """A file of the default branch, None when there is none.

        :raises BadPayload: the file is not UTF-8 text.
        """
        url = f"{repository_path(repository)}/contents/{quote(path.strip('/'))}"
        try:
            answer = await self._connection.send(Request("GET", url, etag=etag, raw=True))
        except NotFound:
            return None
        if answer.unchanged:
            return FileText("", answer.etag or etag, unchanged=True)
        return FileText(_utf8(answer.data, f"{path} in {repository}"), answer.etag)

    async def permission(self, repository: str, login: str) -> Permission:
        """What a user may do; "none" for somebody GitHub does not know there."""
        path = f"{repository_path(repository)}/collaborators/{segment(login)}/permission"
        try:
            return await self._read(Permission, Request("GET", path))
        except NotFound:
            return Permission(permission="none")

    async def head(self, repository: str, branch: str) -> str:
        """The commit at a branch's tip: what a check run is attached to."""
        path = f"{repository_path(repository)}/commits/{segment(branch)}"
        return (await self._read(Commit, Request("GET", path))).sha

    async def create_check_run(
        self,
        repository: str,
        name: str,
        head_sha: str,
        *,
        conclusion: str | None = None,
        output: Mapping[str, Any] | None = None,
    ) -> CheckRun:
        """Show a result beside a commit; needs an App with checks write.

        :param conclusion: "success", "failure", "neutral", …; None while in progress.
        :param output: GitHub's `{title, summary, text, annotations}`.
        """
        content = {"name": name, "head_sha": head_sha, **_check(conclusion, output)}
        path = f"{repository_path(repository)}/check-runs"
        request = Request("POST", path, json=content)
        return await self._read(CheckRun, request)

    async def update_check_run(
        self,
        repository: str,
        check_run_id: int,
        *,
        conclusion: str | None = None,
        output: Mapping[str, Any] | None = None,
    ) -> CheckRun:
        path = f"{repository_path(repository)}/check-runs/{int(check_run_id)}"
        content = _check(conclusion, output)
        return await self._read(CheckRun, Request("PATCH", path, json=content))

    async def repository_installation(self, repository: str) -> AppInstallation:
        """The App's installation that covers a repository; asked as the App itself.

        :raises NotFound: the App is not installed there.
        """
        path = f"{repository_path(repository)}/installation"
        return await self._read(AppInstallation, Request("GET", path))


def _utf8(content: object, what: str) -> str:
    try:
        # an editor's byte order mark is no part of the text
        return content.decode("utf-8-sig") if isinstance(content, bytes) else ""
    except UnicodeDecodeError as error:
        raise BadPayload(f"{what} is not UTF-8 at byte {error.start}; save it as UTF-8") from None


def _check(conclusion: str | None, output: Mapping[str, Any] | None) -> dict[str, Any]:
    state = (
        {"status": "completed", "conclusion": conclusion}
        if conclusion
        else {"status": "in_progress"}
    )
    return {**state, **({"output": dict(output)} if output else {})}
