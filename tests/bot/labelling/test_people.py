"""People act at any moment, between any two requests of the bot: nothing they did is overturned.

Labels, issues, the configuration: whatever is deleted, renamed, closed, locked, transferred or
switched off, no label is created by it that stays, and nothing is written elsewhere. A hundred
simulated issues by default; `TEST_INTERLEAVINGS=2000` plays so many.
"""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fakes_bot import BOT, REPO, Clock, FakeReleases
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.backfilling.backfilling import BackfillRequest, backfill
from bot.backfilling.throttling import Throttled
from bot.backfilling.undoing import undo
from bot.container import Container
from bot.errors import CommandRefused, SnapshotOutdated
from bot.github.errors import GitHubError
from bot.jobs.delivery_queue import DeliveryQueue
from bot.receiving.deliveries import keep, understand
from bot.simulator.transport import SimulatorTransport

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.receiving.handler_context import HandlerContext
    from bot.simulator.records import Delivery, SimulatedIssue, SimulatedLabel
    from bot.simulator.state import GitHubState

LABELS = ("bug", "feature", "docs")
FALLBACK = "needs-triage"
ELSEWHERE = "acme/elsewhere"
PATH = ".github/issue-tagger.yml"
BY_HAND = ("made by a person", "ff0000")
CONFIGURATION = """\
mode: apply
delay_seconds: 0
fallback_label: needs-triage
exclusive:
  - [bug, feature]
learning: {audit_share: %s, weekly_suggestions: 3}
"""
INTERLEAVINGS = int(os.environ.get("TEST_INTERLEAVINGS", "100"))
LATEST = 30
"""Requests before which something may happen; what is planned for later happens at the end."""


class Killed(BaseException):
    """The bot's process ends here."""


@dataclass(frozen=True)
class Act:
    """What happens just before the bot's request of this number.

    :ivar kind: a person's act on a label or its suggestion, on the issue or the configuration,
        another bot's, a new title; or "kill" and "fail": the request is carried out, and the bot
        dies, or hears of it only as an error.
    """

    before_request: int
    kind: str
    label: str


KINDS = (
    "add", "add", "remove", "remove", "bot adds", "bot removes", "approve", "dismiss", "rename",
    "edit", "delete label", "close", "reopen", "lock", "push off", "transfer", "delete",
)  # fmt: skip
ON_THE_ISSUE = frozenset({"close", "reopen", "lock", "push off", "transfer", "delete"})
acts = st.lists(
    st.builds(
        Act,
        st.integers(0, LATEST),
        st.sampled_from([*KINDS, "kill", "fail"]),
        st.sampled_from([*LABELS, FALLBACK]),
    ),
    max_size=8,
)
BETWEEN = ("delete label", "rename", "close", "lock", "push off", "transfer", "delete", "add")
"""What is done about the very label that is being set, between the look and the write."""


@st.composite
def aimed(draw: st.DrawFn) -> tuple[str, list[Act]]:
    """A title, and a play in which, half of the time, something happens right before a write."""
    title, plan = draw(titles), draw(acts)
    words = [word.rstrip("?") for word in title.split()]
    if draw(st.booleans()) and set(words) & set(LABELS):
        label = draw(st.sampled_from(sorted(set(words) & set(LABELS))))
        kind = draw(st.sampled_from(BETWEEN))
        plan = [*plan[:3], Act(draw(st.integers(1, 8)), kind, label)]
    return title, plan


titles = st.lists(st.sampled_from([*LABELS, "docs?", "words"]), min_size=1, unique=True).map(
    " ".join
)
deeds = st.lists(st.sampled_from(["backfill", "undo"]), max_size=3)


class Interrupted(httpx.AsyncBaseTransport):
    """Lets people act between requests, and the process die in the middle of one.

    :ivar last: by label, what a person did with it last, where it changed something.
    :ivar made: ids of labels that people made, and those that were there.
    :ivar is_off: a file that switches everything off was pushed, and the bot has heard of it.
    :ivar over: acts of the bot's when the issue was closed, locked, switched off or went.
    """

    def __init__(self, state: GitHubState) -> None:
        self._inner = SimulatorTransport(state)
        self._state = state
        self.hear: Callable[[Delivery], None] = lambda delivery: None
        self.begin(0, [])

    def begin(self, number: int, plan: list[Act]) -> None:
        self.number = number
        self.seen = 0
        self.last: dict[int, str] = {}
        self.made = {label.id for label in self._state.repository(REPO).labels.values()}
        self.is_off = False
        self.over: int | None = None
        self._record = self._state.repository(REPO).issues.get(number)
        self.replan(plan)

    def replan(self, plan: list[Act]) -> None:
        self.seen = 0
        self._plan = defaultdict(list)
        for act in plan:
            self._plan[act.before_request].append(act)

    @property
    def issue(self) -> SimulatedIssue:
        """The issue, wherever it is by now."""
        assert self._record is not None
        return self._record

    @property
    def is_here(self) -> bool:
        return self.number in self._state.repository(REPO).issues

    @property
    def labelled_by_bot(self) -> int:
        acts = [one for one in self.issue.events if one.event == "labeled"]
        return sum(one.actor.login == BOT for one in acts)

    def act(self, moment: int) -> set[str]:
        """What is planned for this moment; returns what befalls the bot itself."""
        befalls = set()
        for act in self._plan.pop(moment, []):
            if act.kind in {"kill", "fail"}:
                befalls.add(act.kind)
            else:
                self._by_somebody(act)
        return befalls

    def act_out(self) -> None:
        for moment in sorted(self._plan):
            self.act(moment)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        befalls = self.act(self.seen)
        self.seen += 1
        response = await self._inner.handle_async_request(request)
        if "kill" in befalls:
            raise Killed
        if "fail" in befalls:
            raise httpx.ReadTimeout("no answer came", request=request)
        return response

    def _by_somebody(self, act: Act) -> None:
        if not self.is_here:
            return
        if act.kind == "delete label":
            self._delete(act.label)
            return
        label = self._state.add_label(REPO, act.label, *BY_HAND)
        self.made.add(label.id)
        if act.kind in ON_THE_ISSUE:
            self._on_the_issue(act.kind)
        elif act.kind == "edit":
            self._state.edit_issue(REPO, self.number, by="ada", title=f"{act.label} after all")
        elif act.kind == "rename":
            self._rename(act.label)
        elif act.kind in {"approve", "dismiss"}:
            self._answer(act.kind, label.id)
        else:
            self._on_a_label(act, label)

    def _on_a_label(self, act: Act, label: SimulatedLabel) -> None:
        carried = self.issue.carries(label.name)
        if act.kind == "add" and not carried:
            self._state.add_labels(REPO, self.number, [label.name], by="ada")
            self.last[label.id] = "add"
        elif act.kind == "remove" and carried:
            self._state.remove_label(REPO, self.number, label.name, by="ada")
            self.last[label.id] = "remove"
        elif act.kind == "bot adds" and not carried:
            self._state.add_labels(REPO, self.number, [label.name], by="other[bot]")
            self.last.pop(label.id, None)  # what other bots do to people is not ours to mend
        elif act.kind == "bot removes" and carried:
            self._state.remove_label(REPO, self.number, label.name, by="other[bot]")
            self.last.pop(label.id, None)

    def _delete(self, name: str) -> None:
        label = self._state.repository(REPO).labels.get(name)
        if label is not None:
            self._state.delete_label(REPO, name, by="ada")
            self.last.pop(label.id, None)

    def _on_the_issue(self, kind: str) -> None:
        closed, locked = self.issue.state != "open", self.issue.locked
        if kind in {"close", "reopen"}:
            if closed == (kind == "reopen"):
                state = "closed" if kind == "close" else "open"
                self._state.set_state(REPO, self.number, state, by="ada")
        elif kind == "lock" and not locked:
            self._state.set_locked(REPO, self.number, True, by="ada")
        elif kind == "push off":
            self.is_off = True
            self.hear(self._state.push_file(REPO, PATH, "mode: 'off'\n"))
        elif kind == "transfer":
            self._state.transfer_issue(REPO, self.number, ELSEWHERE, by="ada")
            self.over = self.labelled_by_bot
        elif kind == "delete":
            self._state.delete_issue(REPO, self.number, by="ada")
            self.over = self.labelled_by_bot

    def _rename(self, name: str) -> None:
        """Give a label another name, or its first one back."""
        if name != FALLBACK:  # the configuration names it
            other = f"{name} (new)"
            present = self._state.repository(REPO).labels
            old, new = (name, other) if other not in present else (other, f"{name} (old)")
            if new not in present:
                self._state.rename_label(REPO, old, new, by="ada")

    def _answer(self, answer: str, label_id: int) -> None:
        for suggestion in self.issue.suggestions:
            if suggestion.label.id == label_id and suggestion.state == "pending":
                if answer == "dismiss":
                    self._state.dismiss(REPO, self.number, suggestion.id, by="ada")
                    # turning a suggestion down takes nothing off that a person has set meanwhile
                    if not self.issue.carries(suggestion.label.name):
                        self.last[label_id] = "remove"
                elif not self.issue.carries(suggestion.label.name):
                    self._state.approve(REPO, self.number, suggestion.id, by="ada")
                    self.last[label_id] = "add"
                return


class Scene:
    """The bot and the people on one stage. No dataclass: a failing example would print it all."""

    def __init__(
        self, installation: Container, state: GitHubState, transport: Interrupted, clock: Clock
    ) -> None:
        self.installation = installation
        self.state = state
        self.transport = transport
        self.clock = clock
        self.sent: set[str] = set()
        transport.hear = self.hear

    def hear(self, delivery: Delivery) -> None:
        """Receive it at once, later than whatever was read until now."""
        self.clock.advance(seconds=1)
        self.receive(delivery)

    def receive(self, delivery: Delivery) -> None:
        self.sent.add(delivery.guid)
        received = understand(
            delivery.guid, delivery.event, delivery.payload, self.installation.clock()
        )
        with self.installation.store.begin() as work:
            keep(work, received, BOT)

    async def play(self) -> None:
        """Work until no webhook causes another."""
        while fresh := [one for one in self.state.deliveries if one.guid not in self.sent]:
            for delivery in fresh:
                self.receive(delivery)
            await self.with_desk(lambda context: DeliveryQueue(context).run_until_empty())
            self.clock.advance(minutes=3)  # leases of the dead run out, failures are repeated
            await self.with_desk(lambda context: DeliveryQueue(context).run_until_empty())

    async def do(self, deed: str) -> None:
        """What somebody at the command line asks for, as often as it takes."""
        throttled = Throttled(self.clock, self._no_time)
        if deed == "backfill":
            await self.with_desk(
                lambda context: backfill(
                    context, REPO, BackfillRequest(limit=1), apply=True, throttled=throttled
                )
            )
            return
        with self.installation.store.read() as work:
            runs = work.writes.runs(work.repositories.get(REPO).id, limit=3)
        for run_id in [run.id for run in runs if run.kind != "undo"]:

            def take_back(context: HandlerContext, run_id: int = run_id) -> Awaitable[object]:
                return undo(context, run_id, throttled=throttled)

            await self.with_desk(take_back)

    async def with_desk(self, act: Callable[[HandlerContext], Awaitable[object]]) -> None:
        """Start the bot, and start it again whenever it dies."""
        while True:
            context = self.installation.context()
            assert context.access is not None
            connection = (await context.access.client(REPO))._connection
            connection._patience = replace(connection._patience, sleep=self._no_time)
            try:
                await act(context)
                break
            except CommandRefused:
                break
            except (Killed, GitHubError, SnapshotOutdated):
                self.clock.advance(minutes=5)
            finally:
                await context.access.aclose()

    async def _no_time(self, seconds: float) -> None:
        self.clock.advance(seconds=seconds)

    def assert_people_have_the_last_word(self) -> None:
        self._assert_nothing_is_made_or_written_elsewhere()
        if not self.transport.is_here:
            return
        self._assert_nothing_was_set_too_late()
        issue = self.transport.issue
        there = {label.id for label in issue.labels}
        for label_id, act in self.transport.last.items():
            assert (label_id in there) == (act == "add"), (label_id, act, issue.events)

    def _assert_nothing_is_made_or_written_elsewhere(self) -> None:
        there = {label.id for label in self.state.repository(REPO).labels.values()}
        assert there <= self.transport.made, "a label was created"
        others = self.state.repository(ELSEWHERE)
        assert not others.labels
        written = [one.path for one in self.state.requests if one.method != "GET"]
        assert all(path.startswith(f"/repos/{REPO}/") for path in written)
        if self.transport.over is not None:
            assert self.transport.labelled_by_bot == self.transport.over

    def _assert_nothing_was_set_too_late(self) -> None:
        """What the bot was the last to set was set while the issue was open to it."""
        issue, over, too_late = self.transport.issue, set(), {}
        for event in issue.events:
            if event.event in {"closed", "locked"}:
                over.add(event.event)
            elif event.event == "reopened":
                over.discard("closed")
            elif event.event == "labeled":
                name = event.detail["label"]["name"]
                too_late[name] = bool(over) and event.actor.login == BOT
        assert not any(too_late.get(name) for name in issue.label_names), issue.events

    def assert_one_of_a_group(self) -> None:
        """Of labels that exclude each other the bot is the last to have set one at most.

        And none beside one that a person chose, whenever that was.
        """
        if not self.transport.is_here:
            return
        issue = self.transport.issue
        setters = {
            event.detail["label"]["name"]: event.actor.login
            for event in issue.events
            if event.event == "labeled"
        }
        by_bot = {name for name in issue.label_names if setters.get(name) == BOT}
        assert len(by_bot & {"bug", "feature"}) < 2, issue.events
        touched = {
            event.detail["label"]["name"]
            for event in issue.events
            if event.event in {"labeled", "unlabeled"} and event.actor.login == "ada"
        }
        by_people = {name for name in issue.label_names if setters.get(name) == "ada"}
        free = issue.state == "open" and not issue.locked and not self.transport.is_off
        if free and by_people & {"bug", "feature"}:
            assert not (by_bot - touched) & {"bug", "feature"}, issue.events


@pytest.fixture
def scene(settings, github: GitHubState, clock: Clock, releases: FakeReleases) -> Any:
    github.add_label(REPO, FALLBACK)
    github.add_repository(ELSEWHERE)
    github.set_role(ELSEWHERE, BOT, "write")
    transport = Interrupted(github)
    installation = Container(settings, clock=clock, transport=transport, open_release=releases)
    releases.promote(installation.store, "r1", LABELS, clock())
    yield Scene(installation, github, transport, clock)
    installation.close()


@pytest.mark.timeout(300 if INTERLEAVINGS <= 100 else 0)
@settings(
    max_examples=INTERLEAVINGS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(  # killed after the write and before its check: what the write created goes all the same
    play=("bug feature", [Act(5, "kill", "bug"), Act(3, "delete label", "bug")]),
    audit="0.0",
    after=[],
    late=[],
)
@example(
    play=("bug feature", [Act(5, "kill", "bug"), Act(3, "rename", "bug")]),
    audit="0.0",
    after=[],
    late=[],
)
@example(  # the same of a suggestion, whose label is on no issue
    play=("bug", [Act(3, "rename", "bug"), Act(8, "kill", "bug")]), audit="1.0", after=[], late=[]
)
@given(play=aimed(), audit=st.sampled_from(["0.0", "0.0", "1.0"]), after=deeds, late=acts)
def test_no_decision_of_a_person_is_overturned(
    scene: Scene, play: tuple[str, list[Act]], audit: str, after: list[str], late: list[Act]
) -> None:
    title, plan = play
    for name in [one for one in scene.state.repository(REPO).labels if "(" in one]:
        scene.state.delete_label(REPO, name, by="ada")  # what an example before has renamed
    for label in (*LABELS, FALLBACK):
        scene.state.add_label(REPO, label)
    for record in scene.state.repository(REPO).issues.values():
        record.state = "closed"
    scene.state.requests.clear()
    scene.hear(scene.state.push_file(REPO, PATH, CONFIGURATION % audit))
    opened = scene.state.open_issue(REPO, title)
    number = opened.payload["issue"]["number"]
    scene.transport.begin(number, plan)
    asyncio.run(scene.play())
    scene.transport.act_out()
    asyncio.run(scene.play())
    scene.assert_people_have_the_last_word()
    for deed in after:
        scene.transport.replan(late)
        asyncio.run(scene.do(deed))
        scene.assert_people_have_the_last_word()
        scene.transport.act_out()
        asyncio.run(scene.play())
        scene.assert_people_have_the_last_word()
    scene.assert_one_of_a_group()
