"""People set, change and take away types at any moment: nothing they did is overturned.

Beside them another bot does, the process dies, and answers are lost. A hundred simulated issues by
default; `TEST_INTERLEAVINGS=1000` plays so many.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from fakes_bot import BOT, REPO, Clock, FakeReleases
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_people import ELSEWHERE, INTERLEAVINGS, LATEST, PATH, Act, Interrupted, Scene, deeds

from bot.container import Container

if TYPE_CHECKING:
    from bot.simulator.state import GitHubState

TYPES = ("Bug", "Feature", "Task")
CONFIGURATION = """\
mode: apply
delay_seconds: 0
types: {Bug: bug, Feature: , Task: }
learning: {audit_share: %s, weekly_suggestions: 3}
"""
KINDS = (
    "type", "type", "type", "untype", "untype", "bot types", "bot untypes", "approve", "dismiss",
    "edit", "close", "reopen", "lock", "push off", "transfer", "delete", "kill", "fail",
)  # fmt: skip
acts = st.lists(
    st.builds(Act, st.integers(0, LATEST), st.sampled_from(KINDS), st.sampled_from(TYPES)),
    max_size=8,
)
titles = st.lists(
    st.sampled_from(["bug", *(f"type={name}" for name in TYPES), "type=Bug?", "words"]),
    min_size=1,
    unique=True,
).map(" ".join)


@st.composite
def aimed(draw: st.DrawFn) -> tuple[str, list[Act]]:
    """A title, and a play in which, half of the time, a type changes right before a write."""
    title, plan = draw(titles), draw(acts)
    if draw(st.booleans()):
        kind = draw(st.sampled_from(("type", "untype", "bot types", "close", "push off")))
        moments = draw(st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True))
        plan = plan[:4] + [Act(one, kind, draw(st.sampled_from(TYPES))) for one in moments]
    return title, plan


class InterruptedTypes(Interrupted):
    """Somebody acts on the issue's type between two requests.

    :ivar theirs: what anybody but the bot did last about the type, where it changed something:
        the type, None where it was taken away; not there where nobody did anything.
    """

    def begin(self, number: int, plan: list[Act]) -> None:
        self.theirs: list[tuple[str, str | None]] = []
        super().begin(number, plan)

    def _on_a_label(self, act: Act, label: object) -> None:
        raise AssertionError("these plays are about types")

    def _by_somebody(self, act: Act) -> None:
        if not self.is_here:
            return
        by = "other[bot]" if act.kind.startswith("bot") else "ada"
        if act.kind in {"type", "bot types"}:
            self._change(act.label, by)
        elif act.kind in {"untype", "bot untypes"}:
            self._change(None, by)
        elif act.kind in {"approve", "dismiss"}:
            self._answer_type(act.kind)
        elif act.kind == "edit":
            title = f"type={act.label} after all"
            self._state.edit_issue(REPO, self.number, by="ada", title=title)
        else:
            self._on_the_issue(act.kind)

    def _change(self, name: str | None, by: str) -> None:
        if self.issue.type != name:
            self._state.set_type(REPO, self.number, name, by=by)
            self.theirs.append((by, name))

    def _answer_type(self, answer: str) -> None:
        for suggestion in self.issue.suggestions:
            if suggestion.action == "set_type" and suggestion.state == "pending":
                if answer == "dismiss":
                    self._state.dismiss(REPO, self.number, suggestion.id, by="ada")
                elif self.issue.type != suggestion.label.name:
                    self._state.approve(REPO, self.number, suggestion.id, by="ada")
                    self.theirs.append(("ada", suggestion.label.name))
                return


@pytest.fixture
def scene(settings, github: GitHubState, clock: Clock, releases: FakeReleases) -> Any:
    github.add_repository(ELSEWHERE)
    github.set_role(ELSEWHERE, BOT, "write")
    for name in TYPES:
        github.add_issue_type(REPO, name)
    transport = InterruptedTypes(github)
    installation = Container(settings, clock=clock, transport=transport, open_release=releases)
    names = ("bug", *(f"type = {name}" for name in TYPES))
    releases.promote(installation.store, "r1", names, clock())
    yield Scene(installation, github, transport, clock)
    installation.close()


def assert_types_stand(scene: Scene) -> None:
    """What anybody else did last about the type stands, and nothing of it was made a label."""
    transport = scene.transport
    assert isinstance(transport, InterruptedTypes)
    labels = scene.state.repository(REPO).labels
    assert not any(name.startswith("type =") for name in labels)
    if not transport.is_here:
        return
    issue = transport.issue
    if transport.theirs:
        by, name = transport.theirs[-1]
        # where another bot left none, a type may be set
        assert issue.type == name or (name is None and by != "ada"), issue.events
    people = [name for by, name in transport.theirs if by == "ada"]
    if people and people[-1] is None and all(by == "ada" for by, _ in transport.theirs):
        assert issue.type is None, issue.events


def play_out(
    scene: Scene, play: tuple[str, list[Act]], audit: str, after: list[str], late: list[Act]
) -> None:
    """An issue is filed, people and the bot act on it, and then whoever is at the command line."""
    title, plan = play
    for record in scene.state.repository(REPO).issues.values():
        record.state = "closed"
    scene.state.requests.clear()
    scene.hear(scene.state.push_file(REPO, PATH, CONFIGURATION % audit))
    opened = scene.state.open_issue(REPO, title)
    scene.transport.begin(opened.payload["issue"]["number"], plan)
    asyncio.run(scene.play())
    scene.transport.act_out()
    asyncio.run(scene.play())
    assert_types_stand(scene)
    for deed in after:
        scene.transport.replan(late)
        asyncio.run(scene.do(deed))
        assert_types_stand(scene)
        scene.transport.act_out()
        asyncio.run(scene.play())
        assert_types_stand(scene)


@pytest.mark.parametrize(
    ("moment", "kind"), [*((moment, "type") for moment in range(3, 9)), (5, "bot types")]
)
def test_a_type_set_around_the_moment_of_the_write_stays(
    scene: Scene, moment: int, kind: str
) -> None:
    plan = [Act(moment, kind, "Feature")]
    play_out(scene, ("type=Bug", plan), audit="0.0", after=[], late=[])
    plan = [Act(moment, "kill", "Bug"), Act(moment, kind, "Feature"), Act(moment + 2, kind, "Task")]
    play_out(scene, ("type=Bug", plan), audit="0.0", after=[], late=[])
    late = [Act(moment, kind, "Feature")]
    play_out(scene, ("type=Bug", []), audit="0.0", after=["undo"], late=late)


@pytest.mark.timeout(300 if INTERLEAVINGS <= 100 else 0)
@settings(
    max_examples=INTERLEAVINGS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(play=aimed(), audit=st.sampled_from(["0.0", "0.0", "1.0"]), after=deeds, late=acts)
def test_no_type_that_somebody_chose_is_overturned(
    scene: Scene, play: tuple[str, list[Act]], audit: str, after: list[str], late: list[Act]
) -> None:
    play_out(scene, play, audit, after, late)
