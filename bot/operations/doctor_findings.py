"""What `doctor` says of one part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["ok", "note", "wrong"]
"""`note`: works, but less well than it could; `wrong`: a part does not work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found out about one part; `advice` is empty where there is nothing to do."""

    part: str
    verdict: Verdict
    found: str
    advice: str = ""
