"""The set-up page's HTML: plain forms without scripts, everything from outside escaped."""

from __future__ import annotations

import json
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from tagger.evaluation.report.style import style_sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

_FORMS = """
body { max-width: 46rem; }
label { display: block; margin: 1rem 0; }
input { display: block; width: 100%; font: inherit; color: var(--ink); background: var(--card); border: 1px solid var(--axis); border-radius: 6px; padding: .45rem .6rem; margin-top: .2rem; }
.box input { display: inline; width: auto; margin: 0; }
button { font: inherit; font-weight: 600; color: var(--heat-on); background: var(--accent); border: 0; border-radius: 6px; padding: .55rem 1.1rem; cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
"""  # noqa: E501


@cache
def style() -> str:
    """The style sheet's text, the reports' and forms; the security policy needs its digest."""
    return style_sheet() + _FORMS


def page(title: str, body: str) -> str:
    """A whole page.

    :param body: HTML, escaped by whoever made it.
    """
    shown = escape(title)
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        f"<title>{shown}</title><style>{style()}</style></head>"
        f'<body><main><p class="kicker">issue-tagger</p><h1>{shown}</h1>{body}</main></body></html>'
    )


def message(title: str, text: str) -> str:
    """A page that says one thing."""
    return page(title, f"<p>{escape(text)}</p>")


def questions(
    token: str, address: str, name: str, targets: Mapping[str, str], unreachable: str = ""
) -> str:
    """The first step: what the App should be called, whose it is, where this service is found.

    :param targets: what else may be labelled, by the field's name, in words.
    :param unreachable: why GitHub cannot reach the address that is proposed; "": it can.
    """
    return page(
        "Set up issue-tagger",
        "<p>This makes a GitHub App with the least rights that labelling takes: issues (read and "
        "write), the configuration file (read), and check runs that show its mistakes. Each "
        "box that you tick adds the right to read and write what it names. Nothing is created "
        "before you confirm it on GitHub.</p>"
        + _warned(
            unreachable, "Enter the address that GitHub can reach: of your reverse proxy or tunnel."
        )
        + '<form method="post" action="setup">'
        + _hidden("token", token)
        + _field("address", "Address under which GitHub reaches this service", address)
        + _field("name", "Name of the App (at most 34 characters)", name, most=34)
        + _field("organisation", "Organisation that owns it (empty: your own account)", "", most=39)
        + "".join(_box(field, f"Label {words} too") for field, words in targets.items())
        + '<button type="submit">Show what GitHub will be asked</button></form>',
    )


def hand_over(manifest: Mapping[str, Any], target: str, unreachable: str = "") -> str:
    """The second step: the manifest, for the browser to carry to GitHub.

    :param target: GitHub's page.
    :param unreachable: why GitHub cannot send webhooks to the address; "": it can.
    """
    shown = escape(json.dumps(manifest, indent=2))
    return page(
        "Create the App on GitHub",
        "<p>GitHub asks you to confirm, and comes back here with a code that is valid once.</p>"
        + _warned(unreachable, "No webhook will arrive: go back and enter another address.")
        + f'<form method="post" action="{escape(target)}">'
        + _hidden("manifest", json.dumps(manifest))
        + f'<button type="submit">Go to GitHub and create “{escape(manifest["name"])}”</button>'
        f"</form><details><summary>What is sent</summary><pre>{shown}</pre></details>",
    )


def done(name: str, install: str, warnings: tuple[str, ...]) -> str:
    """The last page: where to install the App.

    :param install: GitHub's page for it.
    :param warnings: what still stands in the way.
    """
    warnings_html = "".join(f'<p class="note">{escape(warning)}</p>' for warning in warnings)
    return page(
        "The App is set up",
        f"<p><code>{escape(name)}</code> exists, its credentials are stored, and this service "
        f"uses them from now on. Further workers need a restart.</p>{warnings_html}"
        f'<p><a href="{escape(install)}" rel="noreferrer">Install it</a> in the repositories that '
        "it should label, and in your organisation's <code>.github</code> repository if the "
        "configuration is kept there.</p>",
    )


def _warned(unreachable: str, advice: str) -> str:
    if not unreachable:
        return ""
    return (
        f'<p class="note" role="alert">GitHub cannot reach this address: {escape(unreachable)}. '
        f"{escape(advice)}</p>"
    )


def _hidden(name: str, value: str) -> str:
    return f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'


def _box(name: str, label: str) -> str:
    box = f'<input type="checkbox" name="{escape(name)}" value="yes">'
    return f'<label class="box">{box} {escape(label)}</label>'


def _field(name: str, label: str, value: str, most: int = 200) -> str:
    return (
        f'<label>{escape(label)}<input name="{escape(name)}" value="{escape(value)}" '
        f'maxlength="{most}"></label>'
    )
