"""The look of everything that is shown in a browser: light, dark, on a phone, in print."""

from pathlib import Path


def style_sheet() -> str:
    """CSS that loads nothing."""
    return (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
