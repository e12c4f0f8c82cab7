"""What an evaluation draws on, made once by who asks for one and handed down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from store.database import Store
    from tagger.domain.strategy import Resources


@dataclass(frozen=True)
class EvaluationWorkspace:
    """The store, a repository in it, models, and the time, which goes on while cells are scored."""

    store: Store
    resources: Resources
    repository: str
    clock: Callable[[], datetime]
