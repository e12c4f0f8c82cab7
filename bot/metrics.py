"""What Prometheus is told: counters that this process keeps, and the inbox as the database has it.

A registry for each installation and none for the process, so that tests start from zero. GitHub's
side of the house reaches the same port: names of labels appear, names of repositories and people
and texts of issues never do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from datetime import datetime

    from bot.github.exchange import Answered
    from store.database import Store

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FAST = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)
_SLOW = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)


class Metrics:
    """Every metric of one installation, under the prefix `issue_tagger_`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.webhooks = self._counter("webhooks", "Requests to /webhook by answer", "status")
        self.deliveries = self._counter(
            "deliveries", "Deliveries accepted, repeats left out", "event", "action"
        )
        self.repeats = self._counter("repeated_deliveries", "Deliveries that were known already")
        self.webhook_seconds = Histogram(
            "issue_tagger_webhook_seconds",
            "From a delivery's first byte to its answer",
            registry=self.registry,
            buckets=_FAST,
        )
        self.worked = self._counter("worked_deliveries", "Deliveries worked on, by ending", "end")
        self.tagging_seconds = Histogram(
            "issue_tagger_tagging_seconds",
            "Scoring one issue",
            registry=self.registry,
            buckets=_SLOW,
        )
        self.decisions = self._counter("decisions", "What releases decided", "label", "decision")
        self.writes = self._counter("writes", "Labels on GitHub, by form and fate", "form", "state")
        self.github_requests = self._counter(
            "github_requests", "Answers of GitHub", "method", "status"
        )
        self.github_remaining = self._gauge(
            "github_remaining_requests", "What is left of the hourly budget, as last told"
        )
        self.inbox = self._gauge("inbox", "Deliveries in the database, by state", "state")
        self.oldest_due = self._gauge(
            "oldest_due_seconds", "How long the longest due delivery has been waiting"
        )
        self.silent = self._gauge(
            "silent_seconds", "Since the last delivery came in; alarm on hours of it"
        )

    def observe_github(self, answered: Answered) -> None:
        """Take down one answer of GitHub (see `bot.github.client`)."""
        self.github_requests.labels(answered.method, str(answered.status)).inc()
        if answered.budget is not None:
            self.github_remaining.set(answered.budget.remaining)

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
        self.silent.set((now - last).total_seconds() if last else 0)
        return generate_latest(self.registry)

    def _counter(self, name: str, help_text: str, *labels: str) -> Counter:
        return Counter(f"issue_tagger_{name}", help_text, labels, registry=self.registry)

    def _gauge(self, name: str, help_text: str, *labels: str) -> Gauge:
        return Gauge(f"issue_tagger_{name}", help_text, labels, registry=self.registry)
