"""What the largest configuration file costs its own repository, and what it costs another's.

    python docs/benchmarks/configuration.py --rate 50 --seconds 15

First the largest files that are accepted, of several shapes: reading one, taking its rules from
the store, deciding an issue of a release with 30 and with 100 labels, cold (the first issue) and
warm. Then `issue-tagger serve` with its worker on SQLite against the stand-in: signed webhooks of
one repository at a steady rate, alone; while a second repository with a plain file opens issues;
and while that one has the largest file, pushes it anew every second, and opens as many. Prints
Markdown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from webhook import SECRET, learn, posted, quantile, wait_until_tagged

from bot.configuration import RepositoryConfiguration, parse
from bot.configuration.document import MAX_BYTES
from bot.configuration.effective import CONFIGURATION_PATH
from bot.container import build
from bot.demo import stage
from bot.demo.material import from_sample
from bot.demo.service import free_port, running
from bot.labelling.policy import LabellingContext, plan
from bot.process.settings import load_settings
from bot.simulator.faults import RequestBudget
from bot.simulator.server import serving
from bot.simulator.webhooks import body_of, headers_of
from tagger.domain.decision import LabelDecision
from tagger.domain.strategy import silent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from webhook import Signed

    from bot.demo.material import Material
    from bot.simulator.records import Delivery
    from bot.simulator.state import GitHubState

LOUD = "acme/loud"
NAMES = [f"label {i:03}" for i in range(1000)]
TITLE = "ab" * 128
HEAD = "mode: apply\ndelay_seconds: 0\n"


def main() -> None:
    """Run the benchmark that the command line describes."""
    wanted = _arguments()
    print(f"load average {os.getloadavg()[0]:.1f}\n")
    print("| file | bytes | read ms | from the store ms | 30 labels ms | 100 labels ms | warm ms |")
    print("|---|---|---|---|---|---|---|")
    for name in list(FILES)[: wanted.files]:
        _report_file(name, FILES[name])
    _beside(wanted)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rate", type=float, default=50.0, help="webhooks a second")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--strategies", default="naive-bayes,linear", help="of the releases")
    parser.add_argument(
        "--files", type=int, default=len(FILES), help="shapes tried, the first ones"
    )
    return parser.parse_args()


def _largest(head: str, line: Callable[[int], str], most: int) -> str:
    """`head`, and lines as many as are allowed and fit."""
    text = head
    for i in range(most):
        if len((text + line(i)).encode()) > MAX_BYTES:
            break
        text += line(i)
    return text


def _patterns() -> str:
    """As many patterns of titles as slow as a file may have."""
    texts = ["(?:.?){160}x", *(f"{'[ab]*' * 28}{i}$" for i in range(19))]
    return "ignore:\n  titles:\n" + "".join(f"    - '{text}'\n" for text in texts)


def _starred(i: int) -> str:
    letters = format(i, "07b").replace("0", "a").replace("1", "b") * 13
    return f"{letters[:30]}*{letters[30:60]}*{letters[60:]}*"


def _exclusive() -> str:
    groups = (", ".join(NAMES[i : i + 10]) for i in range(0, 1000, 10))
    return "exclusive:\n" + "".join(f"  - [{group}]\n" for group in groups)


FILES = {
    "1,000 labels with a mode": _largest(
        HEAD + _patterns() + "labels:\n",
        lambda i: f"  {NAMES[i]}: {{mode: apply, precision: 0.95}}\n",
        1000,
    ),
    "1,000 labels, 1,000 blocked, 1,000 allowed": _largest(
        HEAD
        + "labels:\n"
        + "".join(f"  {name}:\n" for name in NAMES)
        + "allow:\n"
        + "".join(f"  - {name}\n" for name in NAMES)
        + "block:\n",
        lambda i: f"  - blocked {i}\n",
        1000,
    ),
    "100 names with three `*`, groups of all labels": _largest(
        HEAD
        + _patterns()
        + _exclusive()
        + "allow:\n  - label*\n"
        + "".join(f"  - {_starred(i)}\n" for i in range(50))
        + "block:\n"
        + "".join(f"  - {_starred(i + 50)}\n" for i in range(49)),
        lambda i: f"  - blocked name number {i}\n",
        900,
    ),
    "wordings": _largest(
        HEAD + "labels:\n", lambda i: f"  {NAMES[i]}: {{aliases: [a{i}, b{i}, c{i}]}}\n", 1000
    ),
}


def _report_file(name: str, text: str) -> None:
    read = _median(lambda: parse(text))
    rules = parse(text).as_stored()
    stored = _median(lambda: RepositoryConfiguration.stored(rules))
    cold = {}
    for labels in (30, 100):
        each = [RepositoryConfiguration.stored(rules) for _ in range(7)]
        cold[labels] = statistics.median(_decided(one, labels) for one in each)
    warm = statistics.median(_decided(each[0], 100) for _ in range(20))
    print(
        f"| {name} | {len(text.encode()):,} | {read:.1f} | {stored:.1f} | {cold[30]:.2f} "
        f"| {cold[100]:.2f} | {warm:.2f} |",
        flush=True,
    )


def _median(action: Callable[[], object], times: int = 15) -> float:
    return statistics.median(_ms(action) for _ in range(times))


def _ms(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return 1000 * (time.perf_counter() - began)


def _decided(configuration: RepositoryConfiguration, labels: int) -> float:
    """Milliseconds from a release's decisions to a plan, whether it is ignored included."""
    names = NAMES[:labels]
    decisions = [LabelDecision(name, 0.9, 0.5, "apply", "linear") for name in names]
    situation = LabellingContext({name: name for name in names}, on_issue=frozenset({NAMES[-1]}))
    now = datetime(2025, 1, 1, tzinfo=UTC)

    def decide() -> None:
        configuration.ignores(author="ada", title=TITLE, labels=(), created_at=now, now=now)
        plan(decisions, configuration, situation)

    return _ms(decide)


def _beside(wanted: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(
            data_dir=Path(folder),
            github_token=stage.TOKEN,
            webhook_secret=SECRET,
            host="127.0.0.1",
            port=free_port(),
        )
        installation = build(settings)
        quiet = from_sample(silent)
        loud = replace(quiet, repository=LOUD)
        for material in (quiet, loud):
            learn(installation, material, wanted.strategies.split(","))
        state = stage.set_up(quiet.repository, quiet.labels)
        state.budgets[stage.BOT] = RequestBudget(limit=10**6, remaining=10**6)
        _add_loud(state, loud)
        print("\n| beside | webhooks | 202 | median ms | p99 ms | max ms | loud's own: 202 |")
        print("|---|---|---|---|---|---|---|", flush=True)
        with serving(state) as url:
            settings = settings.model_copy(update={"github_api_url": url})
            with running(settings, Path(folder) / "log") as service:
                webhook = f"{service.url}/webhook"
                beside = list(BESIDE.items())[: len(BESIDE) - len(FILES) + wanted.files]
                for name, file in beside:
                    others = _of_loud(state, loud, file, wanted)
                    _report_beside(name, webhook, _issues(state, quiet, wanted), others, wanted)
                    wait_until_tagged(installation, service)
        installation.close()


BESIDE = {
    "nothing": None,
    "a repository with a plain file": stage.CONFIGURATION,
    **{f"one with {name}": text for name, text in FILES.items()},
}


def _add_loud(state: GitHubState, loud: Material) -> None:
    state.add_repository(LOUD)
    for label in loud.labels:
        state.add_label(LOUD, label.name, label.description, label.color or "ededed")
    state.set_role(LOUD, stage.BOT, "write")


def _issues(state: GitHubState, material: Material, wanted: argparse.Namespace) -> list[Delivery]:
    """As many as are opened in the time, with the invented texts."""
    texts = [row.record for row in material.known if not row.record.is_pull_request]
    there = state.repository(material.repository)
    first = max([record.number for record in texts] + list(there.issues)) + 1
    return [
        stage.file_anew(
            state, material.repository, replace(texts[i % len(texts)], number=first + i)
        )
        for i in range(round(wanted.rate * wanted.seconds))
    ]


def _of_loud(
    state: GitHubState, loud: Material, file: str | None, wanted: argparse.Namespace
) -> list[Delivery]:
    """A push every second, and the other repository's issues in between."""
    if file is None:
        return []
    deliveries: list[Delivery] = []
    for i, opened in enumerate(_issues(state, loud, wanted)):
        if i % round(wanted.rate) == 0:
            text = f"{file[: MAX_BYTES - 12]}# {i}\n" if len(file) < MAX_BYTES - 12 else file
            deliveries.append(state.push_file(LOUD, CONFIGURATION_PATH, text))
        deliveries.append(opened)
    return deliveries


def _report_beside(
    name: str,
    url: str,
    quiet: Sequence[Delivery],
    loud: Sequence[Delivery],
    wanted: argparse.Namespace,
) -> None:
    with ThreadPoolExecutor(2) as both:
        others = both.submit(posted, url, _signed(loud), wanted.rate) if loud else None
        answers, _ = posted(url, _signed(quiet), wanted.rate)
        loud_answers = others.result()[0] if others else []
    times = sorted(1000 * answer.seconds for answer in answers)
    accepted, own = (sum(one.status == 202 for one in group) for group in (answers, loud_answers))
    print(
        f"| {name} | {len(answers)} | {accepted} | {statistics.median(times):.1f} "
        f"| {quantile(times, 0.99):.1f} | {times[-1]:.1f} | {own} of {len(loud_answers)} |",
        flush=True,
    )


def _signed(deliveries: Sequence[Delivery]) -> list[Signed]:
    return [(body := body_of(one), headers_of(one, body, SECRET)) for one in deliveries]


if __name__ == "__main__":
    main()
