"""The settings of one installation: the only file that reads the environment."""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import SettingsInvalid
from bot.github.api_version import API_VERSION, ApiVersion
from bot.process import app_credentials
from store.engine.urls import SECRETS_IN_QUERY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from bot.process.app_credentials import AppCredentials

PREFIX = "ISSUE_TAGGER_"
_NEVER_QUOTED = {
    *("database_url", "github_private_key", "github_token", "webhook_secret"),
    *("github_client_secret", "language_model_key"),
}


def _api_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected https://api.github.com, or https://HOST/api/v3 for Enterprise")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("expected an address without user name, query or fragment")
    return text.rstrip("/")


def _server_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected the address of an OpenAI-compatible server, http(s)://HOST/v1")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("expected an address without user name, query or fragment")
    return text.rstrip("/")


def _model_server_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(
            "expected the address of an issue-tagger model-server, http(s)://HOST:PORT"
        )
    if parts.username or parts.query or parts.fragment:
        raise ValueError("expected an address without user name, query or fragment")
    return text.rstrip("/")


def _pair(text: str) -> str:
    if len([name for name in text.split(",") if name.strip()]) != 2:
        raise ValueError("expected two models, there and back, separated by a comma")
    return text


def _database_url(text: str) -> str:
    if not text.startswith(("sqlite:///", "sqlite+pysqlite:///", "postgresql+psycopg://")):
        raise ValueError(
            "expected sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
        )
    return text


def _cron(text: str) -> str:
    from bot.configuration.schedule import Schedule

    Schedule.of(text)
    return text


def _one_or_two_secrets(secret: SecretStr) -> SecretStr:
    if len(_split(secret)) not in {1, 2}:
        raise ValueError("expected one secret, or two separated by a comma while rotating")
    return secret


def _split(secret: SecretStr | None) -> tuple[str, ...]:
    """The parts between commas; an empty one is dropped, because anyone can sign with it."""
    parts = secret.get_secret_value().split(",") if secret else []
    return tuple(part.strip() for part in parts if part.strip())


class Settings(BaseSettings):
    """Each field is the environment variable `ISSUE_TAGGER_` + its name in capitals.

    An empty variable counts as one that is not set. Read with `load_settings`, whose errors name
    the variable and quote no secret.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True
    )

    data_dir: Path = Path("data")
    database_url: Annotated[str, AfterValidator(_database_url)] = Field(
        default_factory=lambda values: f"sqlite:///{values['data_dir'] / 'issue-tagger.sqlite3'}",
        repr=False,  # it holds the database's password
    )
    github_api_url: Annotated[str, AfterValidator(_api_url)] = "https://api.github.com"
    github_api_version: ApiVersion = API_VERSION
    github_app_id: int | None = Field(default=None, gt=0)
    github_private_key: SecretStr | None = None
    github_private_key_file: Path | None = None
    github_client_id: str | None = None
    github_client_secret: SecretStr | None = None
    github_token: SecretStr | None = None
    webhook_secret: Annotated[SecretStr, AfterValidator(_one_or_two_secrets)] | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    encoder: str | None = None
    zero_shot_model: str | None = None
    bert_model: str | None = None
    translation_models: Annotated[str, AfterValidator(_pair)] | None = None
    language_model: str | None = None
    language_model_url: Annotated[str, AfterValidator(_server_url)] | None = None
    language_model_key: SecretStr | None = None
    model_server: Annotated[str, AfterValidator(_model_server_url)] | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    learning_rate_schedule: Literal["constant", "linear", "cosine", "restarts", "polynomial"] = (
        "linear"
    )
    whole_word_masking: bool = False
    release_memory_mb: int = Field(default=700, ge=1)
    runtime: Literal[
        "auto", "torch", "torch-bf16", "torch-int8", "onnx", "onnx-int8", "onnx-int8-static"
    ] = "auto"
    log_format: Literal["text", "json"] = "text"
    releases_url: str | None = None
    retrain_schedule: Annotated[str, AfterValidator(_cron)] | None = None
    silent_hours: int = Field(default=24, ge=1)
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    keep_payloads_days: int = Field(default=7, ge=1)
    keep_deliveries_days: int = Field(default=90, ge=4)  # GitHub redelivers for three days

    keep_left_days: int = Field(default=30, ge=1)

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        keys = [self.github_private_key, self.github_private_key_file]
        names = [key for key in keys if key is not None]
        if len(names) > 1:
            raise ValueError(
                f"{PREFIX}GITHUB_PRIVATE_KEY and {PREFIX}GITHUB_PRIVATE_KEY_FILE are both set; "
                "keep one of them"
            )
        if bool(names) != (self.github_app_id is not None):
            raise ValueError(
                f"a GitHub App needs both {PREFIX}GITHUB_APP_ID and {PREFIX}GITHUB_PRIVATE_KEY "
                f"(or {PREFIX}GITHUB_PRIVATE_KEY_FILE), and only one of the two is set"
            )
        if names and self.github_token:
            raise ValueError(
                f"{PREFIX}GITHUB_TOKEN is set beside a GitHub App; it stands instead of one, "
                "keep either"
            )
        return self

    @property
    def webhook_secrets(self) -> tuple[str, ...]:
        """Each secret that may sign a delivery: none, one, or two while rotating."""
        return _split(self.webhook_secret)

    @property
    def releases_folder(self) -> Path:
        return self.data_dir / "releases"

    @property
    def cache_folder(self) -> Path:
        """Work that can be done again: adapted weights, converted models."""
        return self.data_dir / "cache"

    @property
    def studies_folder(self) -> Path:
        """Searches for the best student of each repository, one SQLite file each."""
        return self.data_dir / "studies"

    @property
    def reports_folder(self) -> Path:
        return self.data_dir / "reports"

    @property
    def app_credentials_file(self) -> Path:
        """What the set-up page stores of the App that it made (mode 0600)."""
        return self.data_dir / "github-app.json"

    def with_app(self, app: AppCredentials) -> Settings:
        """These settings, speaking as the App that the set-up page made.

        A webhook secret of the environment stands instead of the App's: it may have been changed.
        """
        return self.model_copy(
            update={
                "github_app_id": app.app_id,
                "github_private_key": SecretStr(app.private_key),
                "github_client_id": self.github_client_id or app.client_id or None,
                "github_client_secret": self.github_client_secret or _secret(app.client_secret),
                "webhook_secret": self.webhook_secret or SecretStr(app.webhook_secret),
            }
        )

    def private_key(self) -> str | None:
        """The App's private key as PEM, read from the environment or from its file.

        :raises SettingsInvalid: the file cannot be read, or it is no PEM private key.
        """
        name = f"{PREFIX}GITHUB_PRIVATE_KEY"
        if self.github_private_key is not None:
            # env files cannot hold line breaks, so people write them as \n
            pem = self.github_private_key.get_secret_value().replace("\\n", "\n")
        elif self.github_private_key_file is not None:
            name += "_FILE"
            pem = _read(self.github_private_key_file, name)
        else:
            return None
        if "PRIVATE KEY-----" not in pem:
            raise SettingsInvalid(
                [f"{name}: expected a PEM file that begins with -----BEGIN RSA PRIVATE KEY-----"]
            )
        return pem

    def secrets(self) -> tuple[str, ...]:
        """Every secret text of these settings, for the log's filter; the key's file is not read."""
        database = urlsplit(self.database_url)
        password = database.password
        hidden = [
            *(self.github_private_key, self.github_token, self.webhook_secret),
            *(self.github_client_secret, self.language_model_key),
        ]
        secrets = [secret.get_secret_value() for secret in hidden if secret]
        secrets += [*self.webhook_secrets, *([password, unquote(password)] if password else [])]
        secrets += [value for name, value in parse_qsl(database.query) if name in SECRETS_IN_QUERY]
        return tuple(dict.fromkeys(secrets))


def _secret(text: str) -> SecretStr | None:
    return SecretStr(text) if text else None


class ActionsEnvironment(BaseSettings):
    """What GitHub Actions tells a job; each field is the variable `GITHUB_` + its name."""

    model_config = SettingsConfigDict(env_prefix="GITHUB_", env_ignore_empty=True, frozen=True)

    repository: str = ""
    event_name: str = ""
    event_path: Path | None = None
    run_id: str = "0"
    run_attempt: str = "1"
    output: Path | None = None
    step_summary: Path | None = None


def load_settings(**values: Any) -> Settings:
    """Settings from the environment; a keyword (a field's name) wins over its variable.

    Where these name neither an App nor a token, the App that the set-up page made is taken.

    :raises SettingsInvalid: naming every variable that is wrong at once, or a damaged file.
    """
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise SettingsInvalid(map(_sentence, error.errors(include_url=False))) from None
    if settings.github_app_id is not None or settings.github_token is not None:
        return settings
    app = app_credentials.read(settings.app_credentials_file)
    return settings if app is None else settings.with_app(app)


def environment_of(settings: Settings) -> dict[str, str]:
    """The present environment with these settings in it: to start another process with."""
    others = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    ours = {PREFIX + name.upper(): getattr(settings, name) for name in Settings.model_fields}
    shown = {
        key: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        for key, value in ours.items()
        if value is not None
    }
    return {**others, **shown}


def bound_kernels() -> None:
    """Let oneDNN keep few kernels, unless the environment says how many; before it is first used.

    It makes one for each shape that it multiplies, and by itself keeps 1024 of them. Batches of
    texts have ever new shapes: a training grew by 50 MB a step.
    """
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")


def unknown_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """A sentence for each variable with the prefix that is no setting: most likely misspelt."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    environment = os.environ if environment is None else environment
    names = sorted(set(filter(lambda name: name.startswith(PREFIX), environment)) - set(known))
    return [f"{name} is no setting{_nearest(name, known)}" for name in names]


def _nearest(name: str, names: list[str]) -> str:
    get_close_matches = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {get_close_matches[0]}?" if get_close_matches else ""


def _read(path: Path, name: str) -> str:
    try:
        return path.read_text("ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalid([f"{name}: cannot read {path} ({error})"]) from None


def _sentence(error: ErrorDetails) -> str:
    """One problem: which variable, what was expected, and what was got unless it is a secret."""
    message = error["msg"].removeprefix("Value error, ")
    if not error["loc"]:
        return message
    field = str(error["loc"][0])
    got = "" if field in _NEVER_QUOTED else f", got {error['input']!r}"
    return f"{PREFIX}{field.upper()}: {message}{got}"
