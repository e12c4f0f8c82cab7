"""Doctor's look at the machine: its way to GitHub, its processor, and whether it may write here."""

from __future__ import annotations

import os
import platform
import tempfile
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from bot.operations.doctor_findings import Finding
from bot.process.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.process.settings import Settings

X86 = {"x86_64", "amd64"}


def examine_way(settings: Settings) -> Iterator[Finding]:
    """Proxy and certificates, as the HTTP library takes them from the environment."""
    parts = urlsplit(settings.github_api_url)
    host = parts.hostname or ""
    proxies = getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and not proxy_bypass(host):
        yield Finding("proxy", "ok", f"{host} is asked through {_without_password(proxy)}")
    try:
        httpx.create_ssl_context()
    except OSError as error:  # ssl.SSLError is one
        yield Finding(
            "certificates",
            "wrong",
            f"they cannot be read: {error}",
            "SSL_CERT_FILE and SSL_CERT_DIR name them; correct or unset these",
        )


def examine_writing(settings: Settings) -> Finding | None:
    """What keeps this user from writing into the data folder, or making it; None: nothing."""
    folder = settings.data_dir.resolve()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return None
    except OSError as error:
        advice = f"let this user write there, or set {PREFIX}DATA_DIR to a folder of its own"
        return Finding(
            "data folder", "wrong", f"nothing can be written in {there}: {error}", advice
        )


def examine_processor() -> Finding:
    """Cores, and the widest vectors that PyTorch computes with here."""
    from tagger.runtimes.devices import vector_instructions

    capability = vector_instructions()
    summary = f"{os.cpu_count()} cores, {capability}"
    if platform.machine().lower() in X86 and capability in {"DEFAULT", "NO AVX"}:
        return Finding(
            "processor",
            "note",
            f"{os.cpu_count()} cores without AVX2",
            "models take several times as long; another machine, or a virtual one whose processor "
            "type passes AVX2 on, is worth it",
        )
    return Finding("processor", "ok", summary)


def way_advice(error: Exception) -> str:
    """What helps where GitHub could not be reached; empty: the error says it all."""
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return (
            "a proxy that reads TLS has a certificate of its own: let SSL_CERT_FILE name a "
            "file with it; a clock that is years off has the same effect"
        )
    if "proxy" in text.lower() or "407" in text:
        return "check HTTPS_PROXY, or name the host in NO_PROXY"
    return ""


def _without_password(proxy: str) -> str:
    parts = urlsplit(proxy)
    return f"{parts.scheme}://{parts.hostname}" + (f":{parts.port}" if parts.port else "")
