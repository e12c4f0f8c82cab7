"""The bars on speed, each as a ratio from one run: chain, encoding, entailment, serve at rest.

    python docs/benchmarks/speed.py encoding ISSUES.jsonl.gz:LABELS.json:NAME,NAME,…
    python docs/benchmarks/speed.py entailment ISSUES.jsonl.gz:LABELS.json:NAME,NAME,…
    python docs/benchmarks/speed.py chain ISSUES.jsonl.gz:LABELS.json:NAME,NAME,…
    python docs/benchmarks/speed.py serve        # the installation that ISSUE_TAGGER_DATA_DIR names

`entailment` and `chain` need ISSUE_TAGGER_ZERO_SHOT_MODEL. Both sides take turns, issue by issue or
chunk by chunk, so that other work on the machine slows both alike; ratios are of medians. `cpu` is
of processor time, which other work changes less.
"""

from __future__ import annotations

import argparse
import http.client
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np

from bot.cli.learning.prior import labelled_files
from bot.container import build
from bot.process.settings import environment_of, load_settings
from tagger.benchmark.peers import sentence_encoder, zero_shot_pipeline
from tagger.benchmark.rows import limit_to_processors
from tagger.domain.strategy import Resources
from tagger.label_semantics.entailment import Entailment
from tagger.label_semantics.prompts import readable
from tagger.releases.release import Release, ReleaseOrder, train_release
from tagger.statistics.f1_thresholds import choose_thresholds
from tagger.statistics.metrics import Counts
from tagger.strategies import create
from tagger.strategies.knn import NearestNeighbours

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from numpy.typing import NDArray

    from bot.container import Container
    from tagger.benchmark.trial import ModelLocations
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Scores
    from tagger.statistics.stratification import Rows

CHUNK = 64
READY_SECONDS = 120


class Stopwatch:
    """Seconds of the clock and of the processors, by what was done."""

    def __init__(self) -> None:
        self.wall: dict[str, list[float]] = {}
        self.cpu: dict[str, list[float]] = {}

    def __call__(self, name: str, work: Callable[[Any], Any], given: Any) -> Any:
        wall, cpu = time.perf_counter(), time.process_time()
        answer = work(given)
        self.wall.setdefault(name, []).append(time.perf_counter() - wall)
        self.cpu.setdefault(name, []).append(time.process_time() - cpu)
        return answer

    def median(self, name: str) -> float:
        return float(np.median(self.wall[name]))

    def ratio(self, slow: str, fast: str) -> str:
        """How many times faster `fast` is: by the clock, and by processor time."""
        wall = self.median(slow) / self.median(fast)
        cpu = float(np.median(self.cpu[slow]) / max(np.median(self.cpu[fast]), 1e-9))
        return f"{wall:.1f} times faster (cpu: {cpu:.1f})"


class Given:
    """An encoder that knows its vectors already."""

    def __init__(self, identity: str, texts: Sequence[str], vectors: NDArray[np.float32]) -> None:
        self.identity, self.width = identity, vectors.shape[1]
        self.known = dict(zip(texts, vectors, strict=True))

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(np.stack([self.known[text] for text in texts]))


def encoding(given: argparse.Namespace, installation: Container, data: TrainingSet) -> None:
    """Throughput, similarity and neighbours' F1 beside sentence-transformers in float32."""
    places, watch = installation.places(), Stopwatch()
    rows = drawn(data, given.train + given.issues)
    texts = [data.issues[row].full for row in rows]
    peer, ours = sentence_encoder(places), places.bare_encoder(given.runtime)
    peer.encode(texts[:8], show_progress_bar=False)
    ours.encode(texts[:8])
    found: dict[str, list[Any]] = {"peer": [], "ours": []}
    for start in range(0, len(texts), given.chunk):
        some = texts[start : start + given.chunk]
        found["peer"].append(watch("peer", lambda t: peer.encode(t, show_progress_bar=False), some))
        found["ours"].append(watch("ours", ours.encode, some))
    vectors = {name: np.concatenate(parts).astype(np.float32) for name, parts in found.items()}
    vectors["peer"] /= np.linalg.norm(vectors["peer"], axis=1, keepdims=True)
    similarity = (vectors["peer"] * vectors["ours"]).sum(axis=1)
    print(f"{len(texts)} texts, runtime {given.runtime}: {watch.ratio('peer', 'ours')}")
    total = {name: len(texts) / sum(times) for name, times in watch.wall.items()}
    print(f"texts a second: {total['ours']:.0f} against {total['peer']:.0f}")
    print(f"cosine: mean {similarity.mean():.4f}, least {similarity.min():.4f}")
    for name in ("peer", "ours"):
        knn = NearestNeighbours(Resources(encoder=partial(Given, name, texts, vectors[name])))
        train = data.subset(np.sort(rows[: given.train]))
        test = data.subset(np.sort(rows[given.train :]))
        knn.fit(train)
        print(f"knn on {name}: micro F1 {f1(knn, train, test, knn.out_of_fold_):.4f}")


def entailment(given: argparse.Namespace, installation: Container, data: TrainingSet) -> None:
    """Time and top label beside transformers' zero-shot pipeline, on the same hypotheses."""
    places, watch = installation.places(), Stopwatch()
    names = [readable(label.name) for label in data.labels]
    texts = [data.issues[row].full for row in drawn(data, given.issues)]
    hypotheses = [f"This example is {name}." for name in names]  # the pipeline's own template
    ask, folder = zero_shot_pipeline(places, names), _nli(places)
    models = {
        f"{runtime}, {tokens} tokens": Entailment(
            folder,
            runtime=runtime,
            cache=places.cache,
            premise_tokens=tokens,
        )
        for runtime in given.runtime.split(",")
        for tokens in given.premises
    }
    if "torch-bf16" in given.runtime:
        models["torch-bf16, level ones again in float32"] = Entailment(
            folder,
            runtime="torch-bf16",
            premise_tokens=max(given.premises),
            exact_top=True,
        )
    works = {name: partial(_odds, model, hypotheses) for name, model in models.items()}
    ask(texts[0])
    for work in works.values():
        work(texts[0])
    tops: dict[str, list[int]] = {"pipeline": [], **{name: [] for name in models}}
    for text in texts:
        tops["pipeline"].append(int(watch("pipeline", ask, text).argmax()))
        for name, work in works.items():
            tops[name].append(int(watch(name, work, text)[0].argmax()))
    for name in models:
        same = np.mean(np.array(tops[name]) == np.array(tops["pipeline"]))
        speed = watch.ratio("pipeline", name)
        print(f"premise in {name}: {speed}, same top label on {same:.1%}")
    print(f"pipeline: {1000 * watch.median('pipeline'):.0f} ms an issue, {len(texts)} issues")


def chain(given: argparse.Namespace, installation: Container, data: TrainingSet) -> None:
    """A release on one issue beside the chapter's three ways, one after the other."""
    places, watch = installation.places(), Stopwatch()
    rows = drawn(data, given.train + given.issues)
    train, test = (
        data.subset(np.sort(part)) for part in (rows[: given.train], rows[given.train :])
    )
    strategies = given.strategies.split(",") if given.strategies else None
    with TemporaryDirectory() as root:
        ours = places.resources(given.runtime)
        manifest = train_release(ReleaseOrder("owner/name", Path(root)), train, ours, strategies)
        folder = Path(root) / "owner/name" / manifest.id
        release = Release.open(folder, places.resources(given.runtime))
    bare = places.bare_encoder("torch")
    plain = replace(places.resources("torch"), encoder=lambda: bare)
    knn, tuned = (create(name, plain).fit(train) for name in ("knn", "fine-tuned"))
    ask = zero_shot_pipeline(places, [readable(label.name) for label in data.labels])
    found: dict[str, list[Any]] = {"zero-shot": [], "knn": [], "fine-tuned": []}
    for issue in test.issues:
        found["zero-shot"].append(watch("zero-shot", ask, issue.full))
        found["knn"].append(watch("knn", knn.score, [issue])[0])
        found["fine-tuned"].append(watch("fine-tuned", tuned.score, [issue])[0])
        watch("chain", release.tag, [issue])
    theirs = zip(*(watch.wall[name] for name in found), strict=True)
    watch.wall["chapter"] = [sum(one) for one in theirs]
    watch.cpu["chapter"] = [sum(one) for one in zip(*(watch.cpu[n] for n in found), strict=True)]
    print(f"{manifest.strategies} in {given.runtime}, {len(train)} learned, {len(test)} asked")
    print(f"chain: {watch.ratio('chapter', 'chain')}")
    for name in (*found, "chapter", "chain"):
        print(f"{name}: {1000 * watch.median(name):.1f} ms an issue")
    own = Counts.of(test.targets, release.decide(test.issues))
    print(f"micro F1 of the chain {own.micro_f1:.4f}")
    for name, scores in found.items():
        # the rivals' cuts are chosen on the very issues they are measured on: their best case
        thresholds = choose_thresholds(test.targets, np.array(scores))
        best = Counts.of(test.targets, thresholds.decide(np.array(scores)))
        print(f"micro F1 of {name} with its best cuts {best.micro_f1:.4f}")


def serve(given: argparse.Namespace, installation: Container) -> None:
    """How soon `serve` is ready, and what it holds at rest."""
    settings = installation.settings
    start = time.perf_counter()
    child = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "serve"],
        env=environment_of(settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not ready(settings.port) and time.perf_counter() - start < READY_SECONDS:
            time.sleep(0.1)
        print(f"ready after {time.perf_counter() - start:.1f} s")
        time.sleep(given.rest)
        status = Path(f"/proc/{child.pid}/status").read_text()
        kilobytes = int(status.split("VmRSS:")[1].split()[0])
        print(f"resident at rest: {kilobytes / 1024:.0f} MB")
    finally:
        child.terminate()
        child.wait(30)


def _nli(places: ModelLocations) -> Path:
    if places.zero_shot_model is None:
        sys.exit("set ISSUE_TAGGER_ZERO_SHOT_MODEL to a folder that holds an NLI model")
    return places.zero_shot_model


def _odds(model: Entailment, hypotheses: Sequence[str], text: str) -> Scores:
    return model.odds([text], hypotheses)


def ready(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False


def f1(
    strategy: NearestNeighbours, train: TrainingSet, test: TrainingSet, out_of_fold: Scores
) -> float:
    thresholds = choose_thresholds(train.targets, out_of_fold)
    return float(Counts.of(test.targets, thresholds.decide(strategy.score(test.issues))).micro_f1)


def drawn(data: TrainingSet, number: int) -> Rows:
    """Rows of labelled issues, the same for every run."""
    return np.random.default_rng(0).permutation(len(data))[:number]


def main() -> None:
    given = _arguments()
    limit_to_processors()
    installation = build(load_settings())
    if given.bar in {"entailment", "chain"}:
        _nli(installation.places())
    try:
        if given.bar == "serve":
            serve(given, installation)
        elif given.issues_of:
            bars = {"encoding": encoding, "entailment": entailment, "chain": chain}
            bars[given.bar](given, installation, labelled_files(given.issues_of).load())
        else:
            sys.exit(f"{given.bar} needs ISSUES:LABELS:NAME,NAME,…")
    finally:
        installation.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("bar", choices=["encoding", "entailment", "chain", "serve"])
    parser.add_argument("issues_of", nargs="?", help="ISSUES.jsonl.gz:LABELS.json:NAME,NAME,…")
    parser.add_argument("--runtime", default="onnx-int8", help="entailment takes several, A,B,…")
    parser.add_argument(
        "--premises",
        type=int,
        nargs="+",
        default=[512, 128, 32],
        help="tokens of the issue that entailment reads; the pipeline reads what the model can",
    )
    parser.add_argument("--issues", type=int, default=500, help="asked about")
    parser.add_argument("--train", type=int, default=1000, help="learned from")
    parser.add_argument("--chunk", type=int, default=CHUNK, help="texts encoded together")
    parser.add_argument("--strategies", help="members of the chain; without it, all")
    parser.add_argument("--rest", type=float, default=5.0, help="seconds before memory is read")
    return parser.parse_args()


if __name__ == "__main__":
    main()
