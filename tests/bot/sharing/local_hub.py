"""A hub of models on this machine: as much of the Hub's HTTP as `huggingface_hub` uses here.

Commits, large files by Git LFS's batch API with basic transfers, pinned revisions.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "hf_test"
LICENSES = {"apache-2.0", "mit", "other", "unknown"}


@dataclass
class HubState:
    """What the hub holds.

    :ivar commits: of each model, oldest first: its id, and its files by path.
    :ivar blobs: large files that came across, by SHA-256, committed or not.
    :ivar private: models that only the token's owner sees.
    :ivar uploads, downloads: digests of large files as they came, and paths of files as they went.
    :ivar break_upload_after: how many large files come across before the connection ends.
    :ivar broken: the path of a file that goes by half before the connection ends.
    """

    url: str = ""
    commits: dict[str, list[tuple[str, dict[str, bytes]]]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    private: set[str] = field(default_factory=set)
    uploads: list[str] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)
    break_upload_after: int | None = None
    broken: str | None = None

    def files(self, model: str, revision: str = "main") -> dict[str, bytes]:
        return self.commit(model, revision)[1]

    def commit(self, model: str, revision: str) -> tuple[str, dict[str, bytes]]:
        """:raises KeyError: there is no such model or revision."""
        history = self.commits[model]
        if revision == "main":
            return history[-1]
        return {commit: (commit, files) for commit, files in history}[revision]


@contextmanager
def hub_running() -> Iterator[HubState]:
    """A hub at `url`, until the block ends."""
    state = HubState()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"state": state}))
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: HubState
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/tree/([^/]+)", path):
            files = self._files(*match.groups())
            if files is not None:
                self._json([{"type": "file", "path": name, "size": len(files[name]), "oid": "0"}
                            for name in files])  # fmt: skip
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?", path):
            model, revision = match[1], match[2] or "main"
            if self._files(model, revision) is not None:
                commit, files = self.state.commit(model, revision)
                about = {"id": model, "sha": commit, "private": model in self.state.private}
                self._json({**about, "siblings": [{"rfilename": name} for name in files]})
        elif match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(*match.groups())
        else:
            self._refuse(404, "EntryNotFound")

    do_HEAD = do_GET  # noqa: N815 - as the base class wants it

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        if path == "/api/validate-yaml":
            self._validate(json.loads(body)["content"])
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._refuse(401, "")
        elif path == "/api/repos/create":
            self._create(json.loads(body))
        elif "/preupload/" in path:
            self._json({"files": [_mode(file) for file in json.loads(body)["files"]]})
        elif path.endswith("/info/lfs/objects/batch"):
            self._batch(json.loads(body))
        elif match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/commit/main", path):
            self._commit(match[1], [json.loads(line) for line in body.splitlines()])
        else:
            self._refuse(404, "EntryNotFound")

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.state.break_upload_after == len(self.state.uploads):
            self.close_connection = True
            return
        digest = self.path.rpartition("/")[2]
        assert hashlib.sha256(body).hexdigest() == digest
        self.state.blobs[digest] = body
        self.state.uploads.append(digest)
        self._json({})

    def _create(self, wanted: dict[str, Any]) -> None:
        model = f"{wanted['organization']}/{wanted['name']}"
        if model in self.state.commits:
            self._text(409, json.dumps({"url": f"{self.state.url}/{model}"}), "application/json")
            return
        self.state.commits[model] = [(_id_of({}), {".gitattributes": b""})]
        if wanted.get("visibility") == "private":
            self.state.private.add(model)
        self._json({"url": f"{self.state.url}/{model}", "name": model})

    def _batch(self, wanted: dict[str, Any]) -> None:
        objects = []
        for each in wanted["objects"]:
            upload = {"upload": {"href": f"{self.state.url}/upload/{each['oid']}"}}
            missing = each["oid"] not in self.state.blobs
            objects.append({**each, **({"actions": upload} if missing else {})})
        self._json({"transfer": "basic", "objects": objects})

    def _commit(self, model: str, lines: list[dict[str, Any]]) -> None:
        files = dict(self.state.files(model))
        for line in lines:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.state.blobs[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        commit = _id_of(files)
        self.state.commits[model].append((commit, files))
        self._json({
            "commitUrl": f"{self.state.url}/{model}/commit/{commit}", "commitOid": commit,
        })  # fmt: skip

    def _validate(self, content: str) -> None:
        about = yaml.safe_load(content.split("---")[1])
        if about.get("license") not in LICENSES:
            error = {"message": f"license: got {about.get('license')!r}"}
            self._text(400, json.dumps({"errors": [error], "warnings": []}), "application/json")
        else:
            self._json({"errors": [], "warnings": []})

    def _resolve(self, model: str, revision: str, name: str) -> None:
        files = self._files(model, revision)
        if files is None:
            return
        if name not in files:
            self._refuse(404, "EntryNotFound")
            return
        content = files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.state.commit(model, revision)[0])
        self.end_headers()
        if self.command == "HEAD":
            return
        if name == self.state.broken:
            self.wfile.write(content[: len(content) // 2])
            self.close_connection = True
            return
        self.state.downloads.append(name)
        self.wfile.write(content)

    def _files(self, model: str, revision: str) -> dict[str, bytes] | None:
        """A model's files; None: it was refused."""
        allowed = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        if model not in self.state.commits or (model in self.state.private and not allowed):
            self._refuse(401, "RepoNotFound")
            return None
        try:
            return self.state.files(model, revision)
        except KeyError:
            self._refuse(404, "RevisionNotFound")
            return None

    def _refuse(self, status: int, code: str) -> None:
        body = b"" if self.command == "HEAD" else json.dumps({"error": code}).encode()
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _json(self, value: object) -> None:
        self._text(200, json.dumps(value), "application/json")

    def _text(self, status: int, text: str, kind: str = "text/plain") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _mode(file: dict[str, Any]) -> dict[str, Any]:
    large = file["path"].endswith((".safetensors", ".faiss"))
    return {
        "path": file["path"],
        "uploadMode": "lfs" if large else "regular",
        "shouldIgnore": False,
    }


def _id_of(files: dict[str, bytes]) -> str:
    digests = sorted((name, hashlib.sha256(body).hexdigest()) for name, body in files.items())
    return hashlib.sha1(json.dumps(digests).encode()).hexdigest()
