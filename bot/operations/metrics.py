"""What Prometheus is told: counters that this process keeps, and the inbox as the database has it.

Registries of each installation and none of the process, so that tests start from zero: what this
process counted (`counted`, which a worker without a web server shows as well), and what the
database knows, which is the same for all of them (`stored`). GitHub's side of the house reaches the
same port: names of labels appear, names of repositories and people and texts of issues never do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot.operations.live_metrics import LiveMetrics

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from bot.github.exchange import ResponseSeen
    from store.database import Store

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
ACTIONS = frozenset(
    {
        "added", "created", "deleted", "edited", "opened", "closed", "reopened", "labeled",
        "unlabeled", "assigned", "unassigned", "milestoned", "demilestoned", "typed", "untyped",
        "pinned", "unpinned", "locked", "unlocked", "transferred", "renamed", "archived",
        "unarchived", "publicized", "privatized", "removed", "suspend", "unsuspend",
        "new_permissions_accepted", "field_added", "field_removed"
    }
)  # fmt: skip
"""Of the events that are used: https://docs.github.com/webhooks/webhook-events-and-payloads"""
OTHER = "other"
MAX_LABELS = 500
"""Names of labels that metrics tell apart: a repository may have any number, and invent more."""
_FAST = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)


class Metrics:
    """Every metric of one installation, under the prefix `issue_tagger_`.

    :ivar clock_ahead: this machine's clock against GitHub's, None until GitHub has answered.

    :param silent_alarm: how long no delivery may come in before `silent_alarm` is 1.
    """

    def __init__(self, silent_alarm: timedelta) -> None:
        self.counted, self.stored = CollectorRegistry(), CollectorRegistry()
        self.clock_ahead: timedelta | None = None
        self._silent_alarm = silent_alarm
        self._began: datetime | None = None
        self._labels: set[str] = set()
        self.webhooks = self._counter("webhooks", "Requests to /webhook by answer", "status")
        self.deliveries = self._counter(
            "deliveries", "Deliveries accepted, repeats left out", "event", "action"
        )
        self.repeats = self._counter("repeated_deliveries", "Deliveries that were known already")
        self.webhook_seconds = self._histogram(
            "webhook_seconds", "From a delivery's first byte to its answer", _FAST
        )
        self.worked = self._counter("worked_deliveries", "Deliveries worked on, by ending", "end")
        self.tagging_seconds = self._histogram("tagging_seconds", "Scoring one issue", _SLOW)
        self.decisions = self._counter("decisions", "What releases decided", "label", "decision")
        self.writes = self._counter("writes", "Labels on GitHub, by form and fate", "form", "state")
        self.github_requests = self._counter(
            "github_requests", "Answers of GitHub", "method", "status"
        )
        self.github_remaining = self._gauge(
            "github_remaining_requests", "What is left of the hourly budget, as last told"
        )
        self.github_clock = self._gauge(
            "github_clock_ahead_seconds", "This machine's clock against GitHub's, as last told"
        )
        self.inbox = self._of_store("inbox", "Deliveries in the database, by state", "state")
        self.oldest_due = self._of_store(
            "oldest_due_seconds", "How long the longest due delivery has been waiting"
        )
        self.silent = self._of_store(
            "silent_seconds", "Since the last delivery came in; with none, since this start"
        )
        self.silent_alarm = self._of_store(
            "silent_alarm", "1 where silent_seconds exceeds ISSUE_TAGGER_SILENT_HOURS"
        )
        self.live = LiveMetrics()
        self.stored.register(self.live)

    def delivered(self, event: str | None, action: str | None) -> None:
        """Count a new delivery.

        :param event: None for one that is not used.
        """
        label = action if action in ACTIONS else OTHER if action else ""
        self.deliveries.labels(event or OTHER, label if event else "").inc()

    def decided(self, label: str, decision: str) -> None:
        """Count what a release decided on a label."""
        if label not in self._labels and len(self._labels) >= MAX_LABELS:
            label = OTHER
        self._labels.add(label)
        self.decisions.labels(label, decision).inc()

    def observe_github(self, answered: ResponseSeen) -> None:
        """Take down one answer of GitHub (see `bot.github.client`)."""
        self.github_requests.labels(answered.method, str(answered.status)).inc()
        if answered.budget is not None:
            self.github_remaining.set(answered.budget.remaining)
        if answered.clock_ahead is not None:
            self.clock_ahead = answered.clock_ahead
            self.github_clock.set(answered.clock_ahead.total_seconds())

    def exposition(self, store: Store, now: datetime) -> bytes:
        """The text that Prometheus reads.

        :raises StoreError: the database does not answer.
        """
        with store.read() as work:
            counts = work.inbox.counts()
            oldest = work.inbox.oldest_due(now)
            last = work.inbox.last_received()
        for state, number in counts.items():
            self.inbox.labels(state).set(number)
        self.oldest_due.set(oldest.total_seconds() if oldest else 0)
        self._began = self._began or now
        silent = now - (last or self._began)
        self.silent.set(max(silent.total_seconds(), 0))  # a clock may have been set back
        self.silent_alarm.set(silent > self._silent_alarm)
        self.live.snapshot(store, now)
        return generate_latest(self.counted) + generate_latest(self.stored)

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"issue_tagger_{name}", help_text, labels, registry=self.counted)

    def _gauge(self, name: str, help_text: str, *labels: str) -> Gauge:
        return Gauge(f"issue_tagger_{name}", help_text, labels, registry=self.counted)

    def _histogram(self, name: str, help_text: str, buckets: tuple[float, ...]) -> Histogram:
        name = f"issue_tagger_{name}"
        return Histogram(name, help_text, registry=self.counted, buckets=buckets)

    def _of_store(self, name: str, help_text: str, *labels: str) -> Gauge:
        return Gauge(f"issue_tagger_{name}", help_text, labels, registry=self.stored)
