"""Every template compiles, also one that no other test renders."""

from __future__ import annotations

from bot.pages.rendering import _environment


def test_every_template_compiles() -> None:
    names = _environment().list_templates()
    assert "why.html.jinja" in names
    for name in names:
        _environment().get_template(name)
