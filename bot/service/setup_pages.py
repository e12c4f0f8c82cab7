"""The set-up page's HTML: plain forms without scripts, everything from outside escaped."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}"
    "label{display:block;margin:1rem 0}input{display:block;width:100%;font:inherit;padding:.3rem}"
    "button{font:inherit;padding:.4rem 1rem}code{background:#eee;padding:0 .2rem}"
)
STYLE = f"<style>{_STYLE}</style>"


def style() -> str:
    """The style sheet's text, of which the content security policy needs a digest."""
    return _STYLE


def page(title: str, body: str) -> str:
    """A whole page.

    :param body: HTML, escaped by whoever made it.
    """
    shown = escape(title)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{shown}</title>{STYLE}</head><body><h1>{shown}</h1>{body}</body></html>"
    )


def message(title: str, text: str) -> str:
    """A page that says one thing."""
    return page(title, f"<p>{escape(text)}</p>")


def questions(token: str, address: str, name: str) -> str:
    """The first step: what the App should be called, whose it is, where this service is found."""
    return page(
        "Set up issue-tagger",
        "<p>This makes a GitHub App with the least rights that labelling takes: issues (read and "
        "write), the configuration file (read), and check runs that show its mistakes.</p>"
        '<form method="post" action="setup">'
        + _hidden("token", token)
        + _field("address", "Address under which GitHub reaches this service", address)
        + _field("name", "Name of the App (at most 34 characters)", name, most=34)
        + _field("organisation", "Organisation that owns it (empty: your own account)", "", most=39)
        + '<button type="submit">Go on</button></form>',
    )


def hand_over(manifest: Mapping[str, Any], target: str) -> str:
    """The second step: the manifest, for the browser to carry to GitHub.

    :param target: GitHub's page.
    """
    shown = escape(json.dumps(manifest, indent=2))
    return page(
        "Create the App on GitHub",
        "<p>GitHub asks you to confirm, and comes back here with a code that is valid once.</p>"
        f'<form method="post" action="{escape(target)}">'
        + _hidden("manifest", json.dumps(manifest))
        + '<button type="submit">Create it on GitHub</button></form>'
        f"<details><summary>What is sent</summary><pre>{shown}</pre></details>",
    )


def done(name: str, install: str, warnings: tuple[str, ...]) -> str:
    """The last page: where to install the App.

    :param install: GitHub's page for it.
    :param warnings: what still stands in the way.
    """
    warnings_html = "".join(f"<p><strong>{escape(warning)}</strong></p>" for warning in warnings)
    return page(
        "The App is set up",
        f"<p><code>{escape(name)}</code> exists, its credentials are stored, and this service "
        f"uses them from now on. Further workers need a restart.</p>{warnings_html}"
        f'<p><a href="{escape(install)}" rel="noreferrer">Install it</a> in the repositories that '
        "it should label, and in your organisation's <code>.github</code> repository if the "
        "configuration is kept there.</p>",
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def _field(name: str, label: str, value: str, most: int = 200) -> str:
    return (
        f'<label>{escape(label)}<input name="{escape(name)}" value="{escape(value)}" '
        f'maxlength="{most}"></label>'
    )
