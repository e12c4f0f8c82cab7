"""One small made-up repository in every shape of export that `import` reads."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import zstandard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

REPO = "octo/lab"
REST = "issues as GitHub's REST API lists them"
GH = "issues as `gh issue list --json` lists them"
NODES = "nodes of GitHub's GraphQL API"
ANSWERS = "answers of GitHub's GraphQL API"
SEARCH = "answers of GitHub's search"
EVENTS = "events of GH Archive"
PAYLOADS = "webhook payloads"


@dataclass(frozen=True)
class Made:
    """An issue as it is to be stored."""

    number: int
    title: str
    labels: tuple[str, ...]
    state: str
    author: str
    created_at: str
    body: str = "It says “no”,\nthen; stops."


ISSUES = (
    Made(1, "Crash, when “saving”", ("bug", "c: Ui"), "open", "ada", "2026-01-02T03:04:05Z"),
    Made(2, "Manual is thin", ("docs",), "closed", "grace", "2026-01-03T03:04:05Z"),
    Made(3, "Bump lamp from 1 to 2 👩\u200d🚀", (), "open", "lamp[bot]", "2026-01-04T03:04:05Z"),
)


def rest(issue: Made, **fields: Any) -> dict[str, Any]:
    """As https://docs.github.com/rest/issues lists an issue."""
    labels = [{"id": 70 + n, "name": name} for n, name in enumerate(issue.labels)]
    kind = "Bot" if issue.author.endswith("[bot]") else "User"
    return {
        "url": f"https://api.github.test/repos/{REPO}/issues/{issue.number}",
        "repository_url": f"https://api.github.test/repos/{REPO}",
        "html_url": f"https://github.test/{REPO}/issues/{issue.number}",
        "id": 9000 + issue.number,
        "number": issue.number,
        "title": issue.title,
        "body": issue.body,
        "user": {"login": issue.author, "id": 5, "type": kind},
        "labels": labels,
        "state": issue.state,
        "created_at": issue.created_at,
        "updated_at": issue.created_at,
        "closed_at": issue.created_at if issue.state == "closed" else None,
        **fields,
    }


def gh(issue: Made, **fields: Any) -> dict[str, Any]:
    """As `gh issue list --json` prints an issue: ids are strings, states are in capitals."""
    login = issue.author.removesuffix("[bot]")
    is_bot = login != issue.author
    return {
        "author": {"id": "U_1", "is_bot": is_bot, "login": f"app/{login}" if is_bot else login},
        "body": issue.body,
        "createdAt": issue.created_at,
        "labels": [{"id": f"LA_{name}", "name": name, "color": "f00"} for name in issue.labels],
        "number": issue.number,
        "state": issue.state.upper(),
        "title": issue.title,
        **fields,
    }


def node(issue: Made, **fields: Any) -> dict[str, Any]:
    """As GraphQL answers with an issue."""
    login = issue.author.removesuffix("[bot]")
    kind = "Bot" if login != issue.author else "User"
    return {
        "id": f"I_{issue.number}",
        "number": issue.number,
        "title": issue.title,
        "body": issue.body,
        "state": issue.state.upper(),
        "createdAt": issue.created_at,
        "author": {"login": login, "__typename": kind},
        "labels": {"totalCount": len(issue.labels), "nodes": [{"name": n} for n in issue.labels]},
        **fields,
    }


def answer(*issues: Made, edges: bool = False) -> dict[str, Any]:
    """A page of a GraphQL query."""
    nodes = [node(issue) for issue in issues]
    page = {"hasNextPage": False, "endCursor": "Y3Vyc29y"}
    members = (
        {"edges": [{"cursor": "Y", "node": each} for each in nodes]} if edges else {"nodes": nodes}
    )
    connection = {"totalCount": len(ISSUES), "pageInfo": page, **members}
    labels = {"nodes": [{"name": "bug", "description": "It is broken"}]}
    return {"data": {"repository": {"labels": labels, "issues": connection}}}


def event(
    issue: dict[str, Any], kind: str = "IssuesEvent", repository: str = REPO
) -> dict[str, Any]:
    """As https://www.gharchive.org keeps what happened."""
    return {
        "id": "40000000001",
        "type": kind,
        "actor": {"id": 5, "login": "ada"},
        "repo": {"id": 7, "name": repository},
        "payload": {"action": "labeled", "issue": issue},
        "public": True,
        "created_at": issue["updated_at"],
    }


def events() -> list[dict[str, Any]]:
    """Issue 1 in three states, none of them in order; a pull request, a push, a neighbour's."""
    newest = rest(ISSUES[0], updated_at="2026-02-01T00:00:00Z")
    oldest = rest(ISSUES[0], title="Crash", labels=[], state="closed")
    middle = rest(ISSUES[0], labels=[{"name": "question"}], updated_at="2026-01-20T00:00:00Z")
    pull = rest(ISSUES[1], number=8, pull_request={"url": "https://api.github.test"})
    push = {"type": "PushEvent", "repo": {"name": REPO}, "payload": {"size": 1}}
    return [
        event(middle),
        event(newest),
        event(oldest),
        event(rest(ISSUES[1]), "IssueCommentEvent"),
        event(rest(ISSUES[2])),
        event(pull, "IssueCommentEvent"),
        event(rest(ISSUES[1], number=9), repository="octo/other"),
        push,
    ]


def payload(issue: Made) -> dict[str, Any]:
    """As GitHub posts it to a webhook."""
    repository = {"id": 7, "full_name": REPO, "private": False}
    return {"action": "opened", "issue": rest(issue), "repository": repository, "sender": {"id": 5}}


def lines(rows: Iterable[object]) -> str:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows)


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def pretty(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"


def table(names: Mapping[str, str], delimiter: str = ",", labels: str = ", ") -> str:
    """A table with these names of columns."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(names.values())
    for issue in ISSUES:
        cells = {**vars(issue), "labels": labels.join(issue.labels)}
        writer.writerow(cells[name] for name in names)
    return out.getvalue()


def frame() -> str:
    """As `pandas.DataFrame(issues).to_csv(…)` writes REST's issues: an index, literals, floats."""
    out = io.StringIO(newline="")
    names = ["number", "title", "body", "user", "labels", "state", "created_at", "pull_request"]
    writer = csv.writer(out)
    writer.writerow(["", *names])
    for index, issue in enumerate(ISSUES):
        row = {**rest(issue), "number": float(issue.number), "pull_request": "nan"}
        writer.writerow([index, *(row[name] for name in names)])
    return out.getvalue()


def parquet() -> bytes:
    """:raises ImportError: pyarrow is not installed."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{**vars(issue), "labels": list(issue.labels)} for issue in ISSUES]
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), out)
    return out.getvalue()


@dataclass(frozen=True)
class Export:
    """A file, and what `import` is to say that it is.

    :ivar only: the numbers of the issues in it.
    """

    content: Callable[[], str | bytes]
    shape: str
    only: tuple[int, ...] = (1, 2, 3)
    columns: dict[str, str] = field(default_factory=dict)

    def bytes(self) -> bytes:
        content = self.content()
        return content if isinstance(content, bytes) else content.encode()


_COLUMNS = {name: name for name in ("number", "title", "body", "labels", "state")}
_TIMES = {"created_at": "created_at", "author": "author"}
_OWN = {"number": "Key", "title": "Subject", "body": "Text", "labels": "Tags", "state": "State"}
_OWN_TIMES = {"created_at": "Filed", "author": "By"}
_REST_LINES = lines(map(rest, ISSUES))

EXPORTS: dict[str, Export] = {
    "REST, a line for each issue": Export(lambda: _REST_LINES, f"JSON lines of {REST}"),
    "REST, a page": Export(lambda: compact([*map(rest, ISSUES)]), f"a JSON array of {REST}"),
    "REST, all pages": Export(
        lambda: compact([*map(rest, ISSUES[:2])]) + compact([rest(ISSUES[2])]),
        f"JSON arrays one after the other of {REST}",
    ),
    "REST, all pages in an array": Export(
        lambda: compact([[*map(rest, ISSUES[:2])], [rest(ISSUES[2])]]),
        f"JSON arrays within an array of {REST}",
    ),
    "REST, pretty-printed array": Export(
        lambda: pretty([*map(rest, ISSUES)]), f"a JSON array of {REST}"
    ),
    "REST, pretty-printed objects": Export(
        lambda: "".join(pretty(rest(issue)) for issue in ISSUES),
        f"JSON objects one after the other of {REST}",
    ),
    "REST, one issue": Export(lambda: pretty(rest(ISSUES[0])), f"a JSON object of {REST}", (1,)),
    "gh, an array": Export(lambda: compact([*map(gh, ISSUES)]), f"a JSON array of {GH}"),
    "gh, a line for each issue": Export(lambda: lines(map(gh, ISSUES)), f"JSON lines of {GH}"),
    "gh search": Export(
        lambda: compact([gh(issue, repository={"nameWithOwner": REPO}) for issue in ISSUES]),
        f"a JSON array of {GH}",
    ),
    "GraphQL, an answer": Export(lambda: compact(answer(*ISSUES)), f"a JSON object of {ANSWERS}"),
    "GraphQL, an answer with edges": Export(
        lambda: pretty(answer(*ISSUES, edges=True)), f"a JSON object of {ANSWERS}"
    ),
    "GraphQL, all pages": Export(
        lambda: compact(answer(*ISSUES[:2])) + compact(answer(ISSUES[2])),
        f"JSON objects one after the other of {ANSWERS}",
    ),
    "GraphQL, all pages in an array": Export(
        lambda: compact([answer(*ISSUES[:2]), answer(ISSUES[2])]), f"a JSON array of {ANSWERS}"
    ),
    "GraphQL, nodes": Export(lambda: compact([*map(node, ISSUES)]), f"a JSON array of {NODES}"),
    "search": Export(
        lambda: compact({"total_count": 3, "items": [*map(rest, ISSUES)]}),
        f"a JSON object of {SEARCH}",
    ),
    "GH Archive": Export(lambda: lines(events()), f"JSON lines of {EVENTS}"),
    "GH Archive from BigQuery": Export(
        lambda: lines({**row, "payload": compact(row["payload"])} for row in events()),
        f"JSON lines of {EVENTS}",
    ),
    "webhook, a payload": Export(
        lambda: pretty(payload(ISSUES[1])), f"a JSON object of {PAYLOADS}", (2,)
    ),
    "webhook, payloads": Export(lambda: lines(map(payload, ISSUES)), f"JSON lines of {PAYLOADS}"),
    "CSV": Export(lambda: table(_COLUMNS | _TIMES), "a table with commas (CSV)"),
    "CSV with semicolons": Export(
        lambda: table(_COLUMNS | _TIMES, ";"), "a table with semicolons (CSV)"
    ),
    "CSV with tabs": Export(
        lambda: table(_COLUMNS | _TIMES, "\t", "\n"), "a table with tabs (CSV)"
    ),
    "CSV with columns of other names": Export(
        lambda: table(_OWN | _OWN_TIMES),
        "a table with commas (CSV)",
        columns={"number": "Key", "title": "Subject", "body": "Text", "labels": "Tags"}
        | {"created_at": "Filed", "user": "By"},
    ),
    "CSV from pandas": Export(frame, "a table with commas (CSV)"),
    "Parquet": Export(parquet, "a Parquet file"),
    "UTF-16 with a mark": Export(
        lambda: b"\xff\xfe" + _REST_LINES.encode("utf-16-le"), f"JSON lines of {REST}"
    ),
    "UTF-16 without a mark": Export(
        lambda: _REST_LINES.encode("utf-16-be"), f"JSON lines of {REST}"
    ),
    "UTF-8 with a mark": Export(lambda: _REST_LINES.encode("utf-8-sig"), f"JSON lines of {REST}"),
    "gzip": Export(lambda: gzip.compress(_REST_LINES.encode()), f"JSON lines of {REST}"),
    "Zstandard": Export(lambda: zstandard.compress(_REST_LINES.encode()), f"JSON lines of {REST}"),
}
"""What an export is called in docs/exports.md → one that was made up."""
