"""Doctor's questions to GitHub: who we are, what we may do where, and what time it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.errors import BotError
from bot.github.access import AppAccess
from bot.github.errors import GitHubError, NotFound
from bot.github.manifest import EVENTS, PERMISSIONS
from bot.operations.doctor_findings import Finding
from bot.operations.doctor_machine import way_advice
from bot.process.settings import PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import timedelta

    from bot.container import Container
    from bot.github.access import Access

MAX_REPOSITORIES = 10
"""A question each: enough to see a permission that is missing."""
FAR_OFF = 30.0
"""Seconds: GitHub refuses an App's key signed by a clock a minute ahead, and leases last one."""


async def examine_github(container: Container, repositories: Sequence[str]) -> tuple[Finding, ...]:
    """Look at credentials, permissions, events and failed deliveries; errors are findings."""
    access, url = None, container.settings.github_api_url
    try:
        access = container.access()
        if access is None:
            return (_no_credentials(url),)
        who = Finding("GitHub", "ok", f"{url} knows us as {await access.login()}")
        if isinstance(access, AppAccess):
            return (who, *await _app(access, repositories))
        return (who, *[await _token(access, name) for name in repositories[:MAX_REPOSITORIES]])
    except (BotError, GitHubError) as error:
        return (Finding("GitHub", "wrong", str(error), way_advice(error)),)
    finally:
        if access is not None:
            await access.aclose()


def examine_clock(container: Container, database_ahead: timedelta | None) -> Finding:
    """Compare this machine's clock with GitHub's and the database's, where they told theirs.

    :param database_ahead: how far the database server's clock is ahead of ours.
    """
    ahead = container.metrics.clock_ahead
    gaps = {
        "GitHub's": ahead,
        "the database's": None if database_ahead is None else -database_ahead,
    }
    seconds = {whose: gap.total_seconds() for whose, gap in gaps.items() if gap is not None}
    now = f"{container.clock():%Y-%m-%d %H:%M:%S} UTC"
    if not seconds:
        return Finding("clock", "ok", f"{now}, with no other clock to compare it with")
    summary = ", ".join(f"{gap:+.0f} s against {whose}" for whose, gap in seconds.items())
    if max(map(abs, seconds.values())) > FAR_OFF:
        advice = "let the system set it from the network (NTP): leases and keys depend on it"
        return Finding("clock", "wrong", f"{now}, {summary}", advice)
    return Finding("clock", "ok", f"{now}, {summary}")


def _no_credentials(url: str) -> Finding:
    return Finding(
        "GitHub",
        "note",
        f"no credentials for {url}: the bot can write nothing",
        f"set {PREFIX}GITHUB_APP_ID with {PREFIX}GITHUB_PRIVATE_KEY_FILE, or {PREFIX}GITHUB_TOKEN",
    )


async def _app(access: AppAccess, repositories: Sequence[str]) -> list[Finding]:
    app = await access.as_app.app()
    findings = []
    if missing := sorted(set(EVENTS) - set(app.events)):
        advice = "tick them in the App's settings, under Permissions & events"
        findings.append(Finding("events", "wrong", f"not subscribed: {', '.join(missing)}", advice))
    else:
        findings.append(Finding("events", "ok", f"subscribed: {', '.join(EVENTS)}"))
    findings.append(await _deliveries(access))
    return findings + [
        await _installed(access, repository) for repository in repositories[:MAX_REPOSITORIES]
    ]


async def _installed(access: AppAccess, repository: str) -> Finding:
    try:
        app_installation = await access.as_app.repository_installation(repository)
    except NotFound:
        return Finding("permissions", "note", f"the App is not installed on {repository}")
    if app_installation.suspended_at is not None:
        advice = "its owner may let it act again, in GitHub's settings"
        return Finding("permissions", "wrong", f"{repository}: the App is suspended", advice)
    missing = [
        f"{part}: {level}"
        for part, level in PERMISSIONS.items()
        if app_installation.permissions.get(part) not in {level, "write"}
    ]
    if missing:
        advice = "grant them in the App's settings, then accept them where it is installed"
        return Finding("permissions", "wrong", f"{repository} lacks {', '.join(missing)}", advice)
    return Finding("permissions", "ok", f"{repository}: all that is needed")


async def _deliveries(access: AppAccess) -> Finding:
    """How the latest hundred deliveries went, as GitHub saw it."""
    async for page in access.as_app.hook_deliveries():
        failed = sum(not delivery.succeeded for delivery in page.items)
        summary = f"{failed} of the latest {len(page.items)} failed"
        if failed:
            advice = "the App's settings, Advanced, show why; GitHub redelivers them for three days"
            return Finding("deliveries", "note", summary, advice)
        return Finding("deliveries", "ok", summary)
    return Finding("deliveries", "ok", "none yet")


async def _token(access: Access, repository: str) -> Finding:
    login = await access.login()
    client = await access.client(repository)
    try:
        permission = await client.permission(repository, login)
    except GitHubError as error:
        return Finding("permissions", "note", f"{repository}: unknown ({error})")
    if permission.reaches("triage"):
        return Finding("permissions", "ok", f"{repository}: {login} may set labels")
    advice = f"give {login} the triage role there, unless the bot is only to predict"
    return Finding("permissions", "note", f"{repository}: {login} may not set labels", advice)
