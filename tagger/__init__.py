"""The machine learning of issue-tagger: text and labels in, calibrated decisions out.

Knows neither SQL nor HTTP nor the environment; importing it loads no model and no torch.
`IssueTagger` is its face for data scientists (see `tagger.library`), loaded when asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tagger.library import IssueTagger

__version__ = "0.1.0"
__all__ = ["IssueTagger", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "IssueTagger":
        return import_module("tagger.library").IssueTagger
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
