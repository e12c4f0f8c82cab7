"""What a training draws on, made once by who asks for one and handed down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from bot.model_serving.release_archive import ReleaseArchive
    from store.database import Store
    from tagger.domain.strategy import Resources


@dataclass(frozen=True)
class Workspace:
    """Store, models, releases and the time of one training or compression.

    :ivar archive: where releases lie, for this machine and for others.
    :ivar now: what counts as now, from the first issue read to the release's name.
    """

    store: Store
    resources: Resources
    archive: ReleaseArchive
    now: datetime
