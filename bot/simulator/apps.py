"""GitHub Apps: their keys, installations and hourly tokens."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.simulator.records import Actor, Delivery, SimulatedRepository, SimulatorError
from bot.simulator.wire import installation_json, repository_json
from bot.simulator.world import World

if TYPE_CHECKING:
    from collections.abc import Mapping

TOKEN_LIFETIME = timedelta(hours=1)
MAX_JWT = timedelta(minutes=10)
MAX_NAME = 34
MIN_PRIVILEGE = {"metadata": "read", "issues": "write", "contents": "read", "checks": "write"}


@dataclass(slots=True)
class SimulatedApp:
    id: int
    slug: str
    name: str
    owner: Actor
    bot: Actor
    private_key: str = field(repr=False)
    public_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    permissions: dict[str, str] = field(default_factory=lambda: dict(MIN_PRIVILEGE))
    events: tuple[str, ...] = ("issues", "issue_comment", "label", "push", "repository")

    @property
    def client_id(self) -> str:
        return f"Iv1.{self.id:016x}"

    @property
    def client_secret(self) -> str:
        return f"{self.id:040x}"


@dataclass(slots=True)
class SimulatedInstallation:
    id: int
    app: SimulatedApp
    account: Actor
    repositories: set[str]
    permissions: dict[str, str]
    tokens: dict[str, datetime] = field(default_factory=dict, repr=False)
    suspended_at: datetime | None = None

    def covers(self, repository: SimulatedRepository) -> bool:
        return repository.full_name in self.repositories


def key_pair(bits: int = 2048) -> tuple[str, str]:
    """A fresh private and public RSA key in PEM form."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return private.decode(), public.decode()


class AppActions(World):
    """Creating, installing and authenticating Apps."""

    def create_app(
        self, slug: str, *, owner: str = "maintainer", webhook_secret: str | None = None
    ) -> SimulatedApp:
        """Register an App, with keys of its own."""
        private, public = key_pair()
        secret = webhook_secret or secrets.token_hex(20)
        with self.lock:
            bot = self.actor(f"{slug}[bot]")
            app = SimulatedApp(
                self.next_id(), slug, slug, self.actor(owner), bot, private, public, secret
            )
            self.apps[app.id] = app
            return app

    def submit_manifest(self, manifest: Mapping[str, Any], *, by: str = "maintainer") -> str:
        """What GitHub's page does with a manifest once somebody confirms: a new App's code.

        :raises StandInError: 422 for what that page refuses.
        """
        name = str(manifest.get("name", ""))
        if not 0 < len(name) <= MAX_NAME:
            raise SimulatorError(422, f"name has {len(name)} characters, expected 1 to {MAX_NAME}")
        for key in ("url", "redirect_url"):
            if not str(manifest.get(key, "")).startswith(("http://", "https://")):
                raise SimulatorError(422, f"{key} is no address")
        app = self.create_app(name.lower().replace(" ", "-"), owner=by)
        app.permissions = dict(manifest["default_permissions"])
        app.events = tuple(manifest["default_events"])
        return self.offer_manifest(app)

    def offer_manifest(self, app: SimulatedApp) -> str:
        """The code with which the manifest flow comes back; it can be swapped once."""
        code = secrets.token_hex(20)
        self.manifest_codes[code] = app
        return code

    def install(self, app: SimulatedApp, *full_names: str) -> SimulatedInstallation:
        """Let an App act in repositories of one account."""
        with self.lock:
            account = self.repository(full_names[0]).owner
            names = {self.repository(name).full_name for name in full_names}
            installation = SimulatedInstallation(
                self.next_id(), app, account, names, dict(app.permissions)
            )
            self.installations[installation.id] = installation
            content = {"action": "created", **self.whole_installation(installation)}
            self.emit("installation", account.login, None, content, installation)
            return installation

    def uninstall(self, installation: SimulatedInstallation) -> Delivery:
        with self.lock:
            content = {"action": "deleted", **self.whole_installation(installation)}
            del self.installations[installation.id]
            login = installation.account.login
            return self.emit("installation", login, None, content, installation)

    def suspend(self, installation: SimulatedInstallation) -> Delivery:
        """The account's owner takes the App's rights away for a while; GitHub lists no repository.

        https://docs.github.com/webhooks/webhook-events-and-payloads#installation
        """
        return self._suspended(installation, "suspend", self.now())

    def unsuspend(self, installation: SimulatedInstallation) -> Delivery:
        return self._suspended(installation, "unsuspend", None)

    def _suspended(
        self, installation: SimulatedInstallation, action: str, at: datetime | None
    ) -> Delivery:
        with self.lock:
            installation.suspended_at = at
            content = {"action": action, "installation": installation_json(installation)}
            return self.emit("installation", installation.account.login, None, content)

    def add_to_installation(
        self, installation: SimulatedInstallation, *full_names: str
    ) -> Delivery:
        """Let the App act in further repositories."""
        with self.lock:
            installation.repositories.update(
                self.repository(full_name).full_name for full_name in full_names
            )
            return self._repositories_changed(installation, "added", full_names)

    def take_from_installation(
        self, installation: SimulatedInstallation, *full_names: str
    ) -> Delivery:
        with self.lock:
            installation.repositories -= {
                self.repository(full_name).full_name for full_name in full_names
            }
            return self._repositories_changed(installation, "removed", full_names)

    def _repositories_changed(
        self, installation: SimulatedInstallation, action: str, full_names: tuple[str, ...]
    ) -> Delivery:
        repositories = [repository_json(self.repository(name)) for name in full_names]
        short = [
            {key: repository[key] for key in ("id", "name", "full_name", "private")}
            for repository in repositories
        ]
        content = {
            "action": action,
            "installation": installation_json(installation),
            "repository_selection": "selected",
            "repositories_added": short if action == "added" else [],
            "repositories_removed": short if action == "removed" else [],
        }
        return self.emit("installation_repositories", installation.account.login, None, content)

    def app_of_jwt(self, token: str) -> SimulatedApp:
        """:raises StandInError: 401 for a token that GitHub would not take."""
        try:
            claimed = jwt.decode(token, options={"verify_signature": False})
            app = self.apps[int(claimed["iss"])]
            # By the simulator's clock, which a test may have moved: the times are checked below.
            claims = jwt.decode(
                token,
                app.public_key,
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False},
            )
        except (jwt.PyJWTError, KeyError, ValueError, TypeError):
            raise SimulatorError(401, "A JSON web token could not be decoded") from None
        self._check_times(claims)
        return app

    def _check_times(self, claims: dict[str, Any]) -> None:
        now = self.clock().timestamp()
        issued, expires = claims.get("iat", now), claims.get("exp", 0)
        if issued > now + 1:
            raise SimulatorError(401, "'Issued at' claim ('iat') must be in the past")
        if expires <= now:
            raise SimulatorError(401, "'Expiration time' claim ('exp') must be in the future")
        if expires > now + MAX_JWT.total_seconds():
            raise SimulatorError(401, "'Expiration time' claim ('exp') is too far in the future")

    def issue_token(self, installation: SimulatedInstallation) -> tuple[str, datetime]:
        """A new installation token and when it ends."""
        token = f"ghs_{secrets.token_hex(18)}"
        expires_at = self.now() + TOKEN_LIFETIME
        installation.tokens[token] = expires_at
        return token, expires_at

    def installation_of_token(self, token: str) -> SimulatedInstallation:
        """:raises StandInError: 401 for a token that is unknown or has ended."""
        for installation in self.installations.values():
            ends = installation.tokens.get(token)
            if ends is not None and self.clock() < ends:
                if installation.suspended_at is not None:
                    raise SimulatorError(403, "This installation has been suspended")
                return installation
        raise SimulatorError(401, "Bad credentials")
