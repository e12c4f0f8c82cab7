"""The simulator's REST routes about identities: users, Apps, installations and deliveries."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.simulator.calls import Call, Reply
from bot.simulator.records import SimulatorError
from bot.simulator.wire import (
    app_json,
    delivery_in_full,
    delivery_json,
    installation_json,
    moment,
    permissions_json,
    repository_json,
    user_json,
)

if TYPE_CHECKING:
    from bot.simulator.apps import SimulatedApp, SimulatedInstallation
    from bot.simulator.calls import Route
    from bot.simulator.records import Delivery, SimulatedRepository


def get_user(call: Call) -> Reply:
    if call.identity.installation or call.identity.app:
        raise SimulatorError(403, "Resource not accessible by integration")
    if not call.identity.login:
        raise SimulatorError(401, "Requires authentication")
    return Reply(200, user_json(call.state.actor(call.identity.login)))


def _app(call: Call) -> SimulatedApp:
    if call.identity.app is None:
        raise SimulatorError(401, "A JSON web token could not be decoded")
    return call.identity.app


def get_app(call: Call) -> Reply:
    return Reply(200, app_json(_app(call)))


def list_installations(call: Call) -> Reply:
    app = _app(call)
    installations = [
        installation
        for installation in call.state.installations.values()
        if installation.app is app
    ]
    return call.page([installation_json(installation) for installation in installations])


def create_token(call: Call) -> Reply:
    installation = call.state.installations.get(call.integer("installation"))
    if installation is None or installation.app is not _app(call):
        raise SimulatorError(404, "Not Found")
    token, expires_at = call.state.issue_token(installation)
    data = {
        "token": token,
        "expires_at": moment(expires_at),
        "permissions": dict(installation.permissions),
    }
    return Reply(201, data)


def list_installation_repositories(call: Call) -> Reply:
    installation = call.identity.installation
    if installation is None:
        raise SimulatorError(403, "You must authenticate with an installation access token")
    covered = [
        repository
        for repository in call.state.repositories.values()
        if installation.covers(repository)
    ]
    return call.page([repository_json(repository) for repository in covered], key="repositories")


def list_my_installations(call: Call) -> Reply:
    """Where the App that a person signed in to is installed, as far as they may look there."""
    app = _signed_in_to(call)
    installations = [
        installation_json(installation)
        for installation in call.state.installations.values()
        if installation.app is app and _repositories_of(call, installation)
    ]
    return call.page(installations, key="installations")


def list_my_repositories(call: Call) -> Reply:
    installation = call.state.installations.get(call.integer("installation"))
    if installation is None or installation.app is not _signed_in_to(call):
        raise SimulatorError(404, "Not Found")
    login = call.identity.login
    shown = [
        repository_json(repository) | {"permissions": permissions_json(repository, login)}
        for repository in _repositories_of(call, installation)
    ]
    return call.page(shown, key="repositories")


def _signed_in_to(call: Call) -> SimulatedApp:
    token = call.headers.get("authorization", "").partition(" ")[2]
    app = call.state.user_tokens.get(token)
    if app is None:
        raise SimulatorError(403, "You must authenticate with an access token of an App's user")
    return app


def _repositories_of(call: Call, installation: SimulatedInstallation) -> list[SimulatedRepository]:
    return [
        repository
        for repository in call.state.repositories.values()
        if installation.covers(repository) and repository.role(call.identity.login) != "none"
    ]


def list_deliveries(call: Call) -> Reply:
    """Newest first; what was never sent does not appear."""
    _app(call)
    sent = [
        delivery_json(delivery)
        for delivery in call.state.deliveries
        if delivery.status_code is not None
    ]
    wanted = {"success": ("OK",), "failure": ("failed",)}.get(call.query.get("status", ""))
    deliveries = [
        delivery for delivery in reversed(sent) if wanted is None or delivery["status"] in wanted
    ]
    return call.page(deliveries, counter="cursor")


def get_delivery(call: Call) -> Reply:
    return Reply(200, delivery_in_full(_delivery(call)))


def redeliver(call: Call) -> Reply:
    again = replace(
        _delivery(call),
        id=call.state.next_id(),
        created_at=call.state.now(),
        redelivery=True,
        status_code=None,
        delivered_at=None,
    )
    call.state.deliveries.append(again)
    return Reply(202, {})


def _delivery(call: Call) -> Delivery:
    _app(call)
    wanted = call.integer("delivery")
    generator = (delivery for delivery in call.state.deliveries if delivery.id == wanted)
    delivery = next(generator, None)
    if delivery is None or delivery.status_code is None:
        raise SimulatorError(404, "Not Found")
    return delivery


def convert_manifest(call: Call) -> Reply:
    app = call.state.manifest_codes.pop(call.path["code"], None)
    if app is None:
        raise SimulatorError(404, "Not Found")
    secret = {
        "webhook_secret": app.webhook_secret,
        "pem": app.private_key,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    return Reply(201, app_json(app) | secret)


APP_ROUTES: tuple[Route, ...] = (
    ("GET", "/user", get_user),
    ("GET", "/user/installations", list_my_installations),
    ("GET", "/user/installations/{installation}/repositories", list_my_repositories),
    ("GET", "/app", get_app),
    ("GET", "/app/installations", list_installations),
    ("POST", "/app/installations/{installation}/access_tokens", create_token),
    ("GET", "/installation/repositories", list_installation_repositories),
    ("GET", "/app/hook/deliveries", list_deliveries),
    ("GET", "/app/hook/deliveries/{delivery}", get_delivery),
    ("POST", "/app/hook/deliveries/{delivery}/attempts", redeliver),
    ("POST", "/app-manifests/{code}/conversions", convert_manifest),
)
