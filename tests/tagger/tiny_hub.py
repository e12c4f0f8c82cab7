"""A hub on 127.0.0.1 that serves one model folder at one commit, and remembers what was asked."""

from __future__ import annotations

import hashlib
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class TinyHub(ThreadingHTTPServer):
    """What `huggingface_hub` asks of the hub to fetch a snapshot: info, tree, files."""

    daemon_threads = True

    def __init__(self, repository: str, commit: str, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.repository, self.commit, self.folder = repository, commit, folder
        self.fetched: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def files(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if path.is_file())


class _Answers(BaseHTTPRequestHandler):
    server: TinyHub

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        path, hub = unquote(urlsplit(self.path).path), self.server
        if path in {f"/api/models/{hub.repository}{end}" for end in self._revisions("/revision")}:
            siblings = [{"rfilename": file.name} for file in hub.files()]
            return self._json({"id": hub.repository, "sha": hub.commit, "siblings": siblings})
        if path in {f"/api/models/{hub.repository}{end}" for end in self._revisions("/tree")}:
            return self._json([_entry(file) for file in hub.files()])
        prefix = f"/{hub.repository}/resolve/{hub.commit}/"
        file = hub.folder / path.removeprefix(prefix)
        if path.startswith(prefix) and file.is_file():
            return self._file(file, with_body=with_body)
        self.send_response(404)
        self.send_header("X-Error-Code", "RevisionNotFound")
        self.send_header("Content-Length", "0")
        return self.end_headers()

    def _revisions(self, kind: str) -> set[str]:
        return {f"{kind}/main", f"{kind}/{self.server.commit}"}

    def _json(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _file(self, file: Path, *, with_body: bool) -> None:
        body = file.read_bytes()
        self.send_response(200)
        self.send_header("ETag", f'"{_blob(file)}"')
        self.send_header("X-Repo-Commit", self.server.commit)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.server.fetched.append(file.name)
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing: the terminal is the tests'."""


def _entry(file: Path) -> dict[str, Any]:
    return {"type": "file", "path": file.name, "size": file.stat().st_size, "oid": _blob(file)}


def _blob(file: Path) -> str:
    content = file.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@contextmanager
def serving(repository: str, commit: str, folder: Path) -> Iterator[TinyHub]:
    """A hub in a thread of its own, gone at the end."""
    with TinyHub(repository, commit, folder) as hub:
        thread = Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield hub
        finally:
            hub.shutdown()
            thread.join()
