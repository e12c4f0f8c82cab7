"""Doctor on the machine: what stands between it and GitHub, and what it is not allowed to do."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from bot.operations import doctor_machine
from bot.operations.doctor import examine
from bot.operations.doctor_machine import (
    examine_processor,
    examine_way,
    examine_writing,
    way_advice,
)

if TYPE_CHECKING:
    from pathlib import Path

    from bot.process.settings import Settings

PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXIES, "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def cloud(settings: Settings) -> Settings:
    return settings.model_copy(update={"github_api_url": "https://api.github.com"})


def test_a_straight_way_is_nothing_to_talk_about(cloud: Settings) -> None:
    assert not list(examine_way(cloud))


def test_a_proxy_is_named_without_its_password(
    cloud: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:hunter2@proxy.corp:3128")
    (finding,) = examine_way(cloud)
    assert finding.verdict == "ok"
    assert finding.found == "api.github.com is asked through http://proxy.corp:3128"
    monkeypatch.setenv("NO_PROXY", "github.com,.github.com")
    assert not list(examine_way(cloud))


@pytest.mark.anyio
async def test_certificates_that_are_not_there_are_said_and_the_rest_is_looked_at(
    installation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    findings = {finding.part: finding for finding in await examine(installation)}
    assert findings["certificates"].verdict == "wrong"
    assert "SSL_CERT_FILE" in findings["certificates"].advice
    assert "GitHub" not in findings
    assert findings["processor"].verdict in {"ok", "note"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_ours_to_write_in_is_said(settings: Settings, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    finding = examine_writing(settings.model_copy(update={"data_dir": tmp_path / "data"}))
    tmp_path.chmod(0o700)
    assert finding is not None
    assert "DATA_DIR" in finding.advice


def test_what_cannot_be_written_is_said_to_root_too(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    assert examine_writing(settings) is None
    monkeypatch.setattr(doctor_machine.tempfile, "TemporaryFile", refuse)
    finding = examine_writing(settings)
    assert finding is not None
    assert finding.verdict == "wrong"
    assert "Read-only file system" in finding.found


@pytest.mark.parametrize(
    ("machine", "capability", "verdict"),
    [
        ("x86_64", "DEFAULT", "note"),
        ("x86_64", "AVX2", "ok"),
        ("x86_64", "AVX512", "ok"),
        ("aarch64", "DEFAULT", "ok"),
    ],
)
def test_a_processor_without_avx2_is_said(
    monkeypatch: pytest.MonkeyPatch, machine: str, capability: str, verdict: str
) -> None:
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: capability)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert examine_processor().verdict == verdict


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] self-signed certificate in chain", "SSL_CERT_FILE"),
        ("407 Proxy Authentication Required", "HTTPS_PROXY"),
        ("name resolution failed", ""),
    ],
)
def test_what_github_could_not_be_reached_for_has_an_advice(error: str, advice: str) -> None:
    said = way_advice(RuntimeError(error))
    assert (advice in said) if advice else not said
