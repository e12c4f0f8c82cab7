"""Settings come from the environment, and what is wrong is named without quoting a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.errors import SettingsInvalid
from bot.process.settings import PREFIX, Settings, environment_of, load_settings, unknown_variables

SECRET = "correct-horse-battery"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def load(monkeypatch: pytest.MonkeyPatch, **variables: str) -> Settings:
    for name, value in variables.items():
        monkeypatch.setenv(PREFIX + name, value)
    return load_settings()


def problems(monkeypatch: pytest.MonkeyPatch, **variables: str) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as caught:
        load(monkeypatch, **variables)
    assert SECRET not in str(caught.value)
    return caught.value.problems


def test_the_settings_are_those_of_the_contract() -> None:
    assert {name.upper() for name in Settings.model_fields} == {
        *("DATA_DIR", "DATABASE_URL", "GITHUB_API_URL", "GITHUB_APP_ID", "GITHUB_PRIVATE_KEY"),
        *("GITHUB_API_VERSION", "GITHUB_CLIENT_ID", "GITHUB_CLIENT_SECRET"),
        *("GITHUB_PRIVATE_KEY_FILE", "GITHUB_TOKEN", "WEBHOOK_SECRET", "HOST", "PORT", "ENCODER"),
        *("ZERO_SHOT_MODEL", "BERT_MODEL", "DEVICE", "RUNTIME", "LOG_FORMAT", "RETRAIN_SCHEDULE"),
        *("RELEASES_URL", "RELEASE_MEMORY_MB", "SILENT_HOURS", "METRICS_PORT"),
        *("KEEP_PAYLOADS_DAYS", "KEEP_DELIVERIES_DAYS", "KEEP_LEFT_DAYS"),
        *("LANGUAGE_MODEL", "LANGUAGE_MODEL_URL", "LANGUAGE_MODEL_KEY", "MODEL_SERVER"),
        *("LEARNING_RATE_SCHEDULE", "WHOLE_WORD_MASKING", "TRANSLATION_MODELS"),
    }


def test_without_any_variable_everything_has_a_default() -> None:
    settings = load_settings()
    assert settings.database_url == "sqlite:///data/issue-tagger.sqlite3"
    assert settings.releases_folder == Path("data/releases")
    assert settings.github_api_url == "https://api.github.com"
    assert settings.webhook_secrets == ()
    assert settings.private_key() is None
    assert settings.secrets() == ()


def test_the_database_and_the_folders_move_with_the_data(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = load(monkeypatch, DATA_DIR=str(tmp_path))
    assert settings.database_url == f"sqlite:///{tmp_path}/issue-tagger.sqlite3"
    folders = settings.releases_folder, settings.cache_folder, settings.reports_folder
    assert {folder.parent for folder in folders} == {tmp_path}


def test_a_keyword_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ISSUE_TAGGER_PORT", "9000")
    assert load_settings().port == 9000
    assert load_settings(port=9001).port == 9001


def test_an_empty_variable_is_one_that_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, GITHUB_TOKEN="", GITHUB_APP_ID="", PORT="")
    assert (settings.github_token, settings.github_app_id, settings.port) == (None, None, 8000)


@pytest.mark.parametrize(
    ("given", "secrets"),
    [("one", ("one",)), ("new, old", ("new", "old")), ("one,", ("one",)), (" one ", ("one",))],
)
def test_two_secrets_while_rotating(
    monkeypatch: pytest.MonkeyPatch, given: str, secrets: tuple[str, ...]
) -> None:
    assert load(monkeypatch, WEBHOOK_SECRET=given).webhook_secrets == secrets


@pytest.mark.parametrize("given", [",", " , ", f"{SECRET},b,c"])
def test_no_secret_and_three_secrets_are_refused(
    monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    (problem,) = problems(monkeypatch, WEBHOOK_SECRET=given)
    assert problem.startswith("ISSUE_TAGGER_WEBHOOK_SECRET: expected one secret, or two")


def test_every_wrong_variable_is_named_with_what_was_got(monkeypatch: pytest.MonkeyPatch) -> None:
    found = problems(monkeypatch, PORT="http", DEVICE="tpu", GITHUB_API_URL="github.example.com")
    assert [problem.split(":")[0] for problem in found] == [
        "ISSUE_TAGGER_GITHUB_API_URL",
        "ISSUE_TAGGER_PORT",
        "ISSUE_TAGGER_DEVICE",
    ]
    assert "'tpu'" in found[2]
    assert "'auto', 'cpu' or 'cuda'" in found[2]


def test_a_wrong_database_url_is_not_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    (problem,) = problems(monkeypatch, DATABASE_URL=f"mysql://me:{SECRET}@db/x")
    assert "expected sqlite:///FILE or postgresql+psycopg://" in problem


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"GITHUB_APP_ID": "7"}, "only one of the two is set"),
        ({"GITHUB_PRIVATE_KEY": SECRET}, "only one of the two is set"),
        (
            {"GITHUB_APP_ID": "7", "GITHUB_PRIVATE_KEY": PEM, "GITHUB_PRIVATE_KEY_FILE": "x"},
            "are both set",
        ),
        (
            {"GITHUB_APP_ID": "7", "GITHUB_PRIVATE_KEY": PEM, "GITHUB_TOKEN": SECRET},
            "keep either",
        ),
    ],
)
def test_there_is_one_way_to_sign_in(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], problem: str
) -> None:
    (found,) = problems(monkeypatch, **variables)
    assert problem in found


def test_an_enterprise_address_loses_its_last_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load(monkeypatch, GITHUB_API_URL="https://ghe.example.com/api/v3/")
    assert settings.github_api_url == "https://ghe.example.com/api/v3"


def test_an_older_version_of_the_api_is_chosen_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().github_api_version == "2026-03-10"
    assert load(monkeypatch, GITHUB_API_VERSION="2022-11-28").github_api_version == "2022-11-28"
    (problem,) = problems(monkeypatch, GITHUB_API_VERSION="2022")
    assert "'2026-03-10' or '2022-11-28', got '2022'" in problem


def test_the_private_key_comes_from_the_variable_or_from_its_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "app.pem"
    file.write_text(PEM)
    escaped = PEM.replace("\n", "\\n")
    assert load_settings(github_app_id=7, github_private_key=escaped).private_key() == PEM
    assert load_settings(github_app_id=7, github_private_key_file=file).private_key() == PEM


def test_a_private_key_that_cannot_be_used_names_its_variable(tmp_path: Path) -> None:
    missing = load_settings(github_app_id=7, github_private_key_file=tmp_path / "none.pem")
    with pytest.raises(SettingsInvalid, match=r"_PRIVATE_KEY_FILE: cannot read .*none\.pem"):
        missing.private_key()
    with pytest.raises(SettingsInvalid, match="_PRIVATE_KEY: expected a PEM") as caught:
        load_settings(github_app_id=7, github_private_key=SECRET).private_key()
    assert SECRET not in str(caught.value)


def test_no_secret_shows_when_settings_are_printed() -> None:
    settings = load_settings(
        github_token=SECRET,
        webhook_secret=SECRET,
        database_url=f"postgresql+psycopg://me:{SECRET}@db/x",
    )
    assert SECRET not in f"{settings!r} {settings}"
    assert set(settings.secrets()) == {SECRET}
    in_query = load_settings(database_url=f"postgresql+psycopg://me@db/x?password={SECRET}")
    assert in_query.secrets() == (SECRET,)


def test_a_misspelt_variable_is_named_with_the_nearest_one() -> None:
    environment = {"ISSUE_TAGGER_WEBHOOK_SECRETS": "x", "ISSUE_TAGGER_PORT": "1", "PATH": "/bin"}
    assert unknown_variables(environment) == [
        "ISSUE_TAGGER_WEBHOOK_SECRETS is no setting; did you mean ISSUE_TAGGER_WEBHOOK_SECRET?"
    ]


def test_another_process_gets_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", "kept")
    monkeypatch.setenv("ISSUE_TAGGER_PORT", "1")
    given = load_settings(data_dir=Path("there"), webhook_secret=f"{SECRET},new", port=9000)
    handed = environment_of(given)
    assert handed["ELSEWHERE"] == "kept"
    for name in [name for name in Settings.model_fields if PREFIX + name.upper() in handed]:
        monkeypatch.setenv(PREFIX + name.upper(), handed[PREFIX + name.upper()])
    assert load_settings() == given
    assert {name for name in handed if name.startswith(PREFIX)} == {
        *(PREFIX + name for name in ("DATA_DIR", "DATABASE_URL", "GITHUB_API_URL", "HOST")),
        PREFIX + "GITHUB_API_VERSION",
        PREFIX + "RELEASE_MEMORY_MB",
        *(PREFIX + name for name in ("LEARNING_RATE_SCHEDULE", "WHOLE_WORD_MASKING")),
        *(PREFIX + name for name in ("SILENT_HOURS", "KEEP_PAYLOADS_DAYS")),
        PREFIX + "KEEP_DELIVERIES_DAYS",
        PREFIX + "KEEP_LEFT_DAYS",
        *(PREFIX + name for name in ("WEBHOOK_SECRET", "PORT", "DEVICE", "RUNTIME", "LOG_FORMAT")),
    }


def test_a_pair_of_translators_is_two_and_a_servers_key_is_a_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load(
        monkeypatch, TRANSLATION_MODELS="a/b, b/a", LANGUAGE_MODEL_KEY=SECRET, LANGUAGE_MODEL="x"
    )
    assert settings.translation_models == "a/b, b/a"
    assert SECRET in settings.secrets()
    [problem] = problems(monkeypatch, TRANSLATION_MODELS="a/b")
    assert "there and back" in problem
    monkeypatch.delenv("ISSUE_TAGGER_TRANSLATION_MODELS")
    for address in ("llama:8080", "http://me:pw@host/v1", "http://host/v1?key=1"):
        [problem] = problems(monkeypatch, LANGUAGE_MODEL_URL=address)
        assert "LANGUAGE_MODEL_URL" in problem
