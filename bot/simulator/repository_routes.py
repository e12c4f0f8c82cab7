"""The simulator's REST routes about repositories, their files, rights and check runs."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from bot.simulator.calls import Call, Reply
from bot.simulator.records import SimulatedCheckRun, SimulatorError
from bot.simulator.wire import (
    check_run_json,
    installation_json,
    permissions_json,
    repository_json,
    user_json,
)

if TYPE_CHECKING:
    from bot.simulator.calls import Route

_COARSE = {"triage": "read", "maintain": "write"}


def get_repository(call: Call) -> Reply:
    repository = call.asset("metadata", "read")
    shown = repository_json(repository)
    if call.identity.login and call.identity.installation is None:
        shown["permissions"] = permissions_json(repository, call.identity.login)
    return Reply(200, shown)


def get_contents(call: Call) -> Reply:
    repository = call.asset("contents", "read")
    path = call.path["path"]
    text = repository.files.get(path)
    if text is None:
        raise SimulatorError(404, "Not Found")
    if "raw" in call.headers.get("accept", ""):
        return Reply(200, text)
    encoded = base64.b64encode(text.encode()).decode()
    return Reply(200, {"type": "file", "path": path, "encoding": "base64", "content": encoded})


def get_permission(call: Call) -> Reply:
    repository = call.asset("metadata", "read")
    login = call.path["login"]
    if login not in call.state.actors:
        raise SimulatorError(404, "Not Found")
    role = repository.role(login)
    return Reply(
        200,
        {
            "permission": _COARSE.get(role, role),
            "role_name": role,
            "user": user_json(call.state.actor(login)),
        },
    )


def get_commit(call: Call) -> Reply:
    return Reply(200, {"sha": call.asset("contents", "read").head})


def get_installation(call: Call) -> Reply:
    if call.identity.app is None:
        raise SimulatorError(401, "A JSON web token could not be decoded")
    installation = call.state.installation_of(call.state.repository(call.full_name))
    if installation is None or installation.app is not call.identity.app:
        raise SimulatorError(404, "Not Found")
    return Reply(200, installation_json(installation))


def create_check_run(call: Call) -> Reply:
    repository = call.asset("checks", "write")
    run = SimulatedCheckRun(
        call.state.next_id(),
        str(call.field("name")),
        str(call.field("head_sha")),
        "queued",
        None,
        {},
    )
    repository.check_runs[run.id] = run
    return Reply(201, _updated(run, call.json))


def update_check_run(call: Call) -> Reply:
    call.asset("checks", "write")
    run = call.state.check_run(call.full_name, call.integer("run"))
    return Reply(200, _updated(run, call.json or {}))


def _updated(run: SimulatedCheckRun, sent: dict[str, Any]) -> dict[str, Any]:
    run.status = sent.get("status", run.status)
    run.conclusion = sent.get("conclusion", run.conclusion)
    run.output = sent.get("output", run.output)
    return check_run_json(run)


_REPOSITORY = "/repos/{owner}/{name}"
REPOSITORY_ROUTES: tuple[Route, ...] = (
    ("GET", _REPOSITORY, get_repository),
    ("GET", f"{_REPOSITORY}/contents/{{path:path}}", get_contents),
    ("GET", f"{_REPOSITORY}/collaborators/{{login}}/permission", get_permission),
    ("GET", f"{_REPOSITORY}/commits/{{ref:path}}", get_commit),
    ("GET", f"{_REPOSITORY}/installation", get_installation),
    ("POST", f"{_REPOSITORY}/check-runs", create_check_run),
    ("PATCH", f"{_REPOSITORY}/check-runs/{{run}}", update_check_run),
)
