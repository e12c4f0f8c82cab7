"""People act at any moment, between any two requests of the bot: nothing they did is overturned."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fakes_bot import BOT, REPO, Clock, FakeReleases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.bootstrap import Installation
from bot.standin.transport import StandInTransport
from bot.use_cases.receive import keep, understand
from bot.worker import Worker

if TYPE_CHECKING:
    from bot.standin.records import Delivery
    from bot.standin.state import GitHubState

LABELS = ("bug", "feature", "docs")
FALLBACK = "needs-triage"
CONFIGURATION = """\
mode: apply
delay_seconds: 0
fallback_label: needs-triage
exclusive:
  - [bug, feature]
"""


@dataclass(frozen=True)
class Act:
    """What a person does with a label just before the bot's request of this number."""

    before_request: int
    kind: str
    label: str


acts = st.lists(
    st.builds(Act, st.integers(0, 14), st.sampled_from(["add", "remove"]), st.sampled_from(LABELS)),
    max_size=6,
)
titles = st.lists(st.sampled_from([*LABELS, "docs?", "words"]), min_size=1, unique=True).map(
    " ".join
)


class Interrupted(httpx.AsyncBaseTransport):
    """Lets people act between requests."""

    def __init__(self, state: GitHubState) -> None:
        self._inner = StandInTransport(state)
        self._state = state
        self.begin(0, [])

    def begin(self, number: int, plan: list[Act]) -> None:
        self.number = number
        self.seen = 0
        self.last: dict[str, str] = {}
        self._plan = defaultdict(list)
        for act in plan:
            self._plan[act.before_request].append(act)

    def act(self, moment: int) -> None:
        for act in self._plan.pop(moment, []):
            carried = self._state.issue(REPO, self.number).carries(act.label)
            if act.kind == "add" and not carried:
                self._state.add_labels(REPO, self.number, [act.label], by="ada")
                self.last[act.label] = "add"
            elif act.kind == "remove" and carried:
                self._state.remove_label(REPO, self.number, act.label, by="ada")
                self.last[act.label] = "remove"

    def act_out(self) -> None:
        for moment in sorted(self._plan):
            self.act(moment)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.act(self.seen)
        self.seen += 1
        return await self._inner.handle_async_request(request)


class Scene:
    """The bot and the people on one stage. No dataclass: a failing example would print it all."""

    def __init__(
        self, installation: Installation, state: GitHubState, transport: Interrupted
    ) -> None:
        self.installation = installation
        self.state = state
        self.transport = transport
        self.sent: set[str] = set()

    def receive(self, delivery: Delivery) -> None:
        self.sent.add(delivery.guid)
        received = understand(
            delivery.guid, delivery.event, delivery.payload, self.installation.clock()
        )
        with self.installation.store.begin() as work:
            keep(work, received, BOT)

    async def play(self) -> None:
        """Work until no webhook causes another."""
        desk = self.installation.desk()
        while fresh := [one for one in self.state.deliveries if one.guid not in self.sent]:
            for delivery in fresh:
                self.receive(delivery)
            await Worker(desk).run_until_empty()
        assert desk.access is not None
        await desk.access.aclose()


@pytest.fixture
def scene(settings, github: GitHubState, clock: Clock, releases: FakeReleases) -> Any:
    github.add_label(REPO, FALLBACK)
    github.push_file(REPO, ".github/issue-tagger.yml", CONFIGURATION)
    transport = Interrupted(github)
    installation = Installation(settings, clock=clock, transport=transport, open_release=releases)
    releases.promote(installation.store, "r1", LABELS, clock())
    yield Scene(installation, github, transport)
    installation.close()


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(title=titles, plan=acts)
def test_no_decision_of_a_person_is_overturned(scene: Scene, title: str, plan: list[Act]) -> None:
    opened = scene.state.open_issue(REPO, title)
    number = opened.payload["issue"]["number"]
    scene.transport.begin(number, plan)
    asyncio.run(scene.play())
    scene.transport.act_out()
    asyncio.run(scene.play())
    issue = scene.state.issue(REPO, number)
    for label, act in scene.transport.last.items():
        assert issue.carries(label) == (act == "add"), (label, act, issue.events)
    by_bot = {
        event.detail["label"]["name"]
        for event in issue.events
        if event.event == "labeled" and event.actor.login == BOT
    }
    assert by_bot <= {*title.split(), FALLBACK}
    if len(issue.labels) > 1 and FALLBACK not in scene.transport.last:
        assert not issue.carries(FALLBACK)
