"""How good labels are in use, for Prometheus: worked out aside and seldom, so that no scrape waits.

The figures are of twelve weeks and of the whole table of predictions; a scrape comes every few
seconds. So one thread works them out when they are older than a minute, and rests a hundred times
as long as it worked; meanwhile a scrape is given the last ones.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from store.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from store.database import Store
    from tagger.monitoring.live_figures import LiveLabel, WeightedShare

log = logging.getLogger(__name__)

FRESH = timedelta(minutes=1)
REST = 100
"""Times as long as the last working out took, at least, before the next."""
MAX_LABELS = 500
"""Labels that are shown, those with the most answers first."""
PATIENCE_SECONDS = 2.0
"""How long a scrape waits for figures that are being worked out."""

_HELP = {
    "precision": "Of what would be set, the share that people wanted; twelve weeks",
    "miss_rate": "Of what people wanted, the share that was kept back; twelve weeks",
    "coverage": "Of what people wanted, the share that would be set; twelve weeks",
}


class LiveMetrics(Collector):
    """`live_precision`, `live_miss_rate`, `live_coverage` and what they rest on, label by label.

    Labels of the same name in several repositories are one: their answers are pooled.
    """

    def __init__(self) -> None:
        self._figures: tuple[LiveLabel, ...] = ()
        self._taken: datetime | None = None
        self._keep = FRESH
        self._working: threading.Thread | None = None
        self._lock = threading.Lock()

    def snapshot(self, store: Store, now: datetime) -> None:
        """Have stale figures worked out, and wait a moment for the new ones."""
        with self._lock:
            if self._working is None and self._is_stale(now):
                self._working = threading.Thread(
                    target=self._work_out, args=(store, now), name="live figures", daemon=True
                )
                self._working.start()
            working = self._working
        if working is not None:
            working.join(PATIENCE_SECONDS)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What the registry asks for."""
        figures = self._figures
        answers = _family("answers", "Answers that a figure rests on", "label", "figure")
        bound = _family("precision_high", "Upper end of its 95 % interval", "label")
        for name, help_text in _HELP.items():
            family = _family(name, help_text, "label", "basis")
            for figure in figures:
                share: WeightedShare = getattr(figure, name)
                answers.add_metric([figure.label, name], share.n)
                if share.value is not None:
                    family.add_metric([figure.label, share.basis], share.value)
            yield family
        for figure in figures:
            if figure.precision.value is not None:
                bound.add_metric([figure.label], figure.precision.high)
        yield from (bound, answers)

    def _is_stale(self, now: datetime) -> bool:
        return self._taken is None or abs(now - self._taken) >= self._keep  # clocks are set back

    def _work_out(self, store: Store, now: datetime) -> None:
        from bot.evaluating.live_outcomes import live_gauges

        began = time.perf_counter()
        try:
            figures = live_gauges(store, now)
            by_answers = sorted(figures, key=lambda figure: figure.precision.n, reverse=True)
            self._figures = tuple(by_answers[:MAX_LABELS])
        except StoreError as error:  # a scrape says so by itself; the last figures stay
            log.warning("no live figures", extra={"reason": str(error)})
        finally:
            took = timedelta(seconds=time.perf_counter() - began)
            with self._lock:
                self._taken, self._keep = now, max(FRESH, REST * took)
                self._working = None


def _family(name: str, help_text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"issue_tagger_live_{name}", help_text, labels=labels)
