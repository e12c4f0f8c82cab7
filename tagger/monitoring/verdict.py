"""The verdict: which labels to switch on, how often they will be wrong, what to label next."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from tagger.chain.precision_guarantee import FAR, MissingExamples
from tagger.label_semantics.process_labels import depends_on_more_than_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

LabelMode = Literal["apply", "suggest", "off"]

USUAL_TARGET = 0.9
"""Where a manifest names none."""

SHOWN = 5
"""Names in one list of a sentence; the others are counted."""

VAGUE = 20
"""Times the lower end of an estimate from which the upper end is all that it says."""

NEXT = 3
"""Labels that the verdict recommends to give more examples."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./ -]*[A-Za-z0-9_./]|[A-Za-z]")
_NO_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


@dataclass(frozen=True, slots=True)
class LabelOutlook:
    """What a maintainer can expect of one label.

    :ivar mode: to set in the configuration.
    :ivar threshold: the score from which it is set; None: nowhere with the promise, or not known.
    :ivar precision: share of right ones among those that are set.
    :ivar low, high: ends of the precision's interval, each with 90 % confidence.
    :ivar coverage: share of its issues that get it.
    :ivar missing_at_least, missing_at_most: further examples until it can be promised; None where
        the data support no estimate.
    """

    name: str
    examples: int
    mode: LabelMode
    threshold: float | None = None
    precision: float | None = None
    low: float | None = None
    high: float | None = None
    coverage: float | None = None
    missing_at_least: int | None = None
    missing_at_most: int | None = None

    @property
    def times_set(self) -> float:
        """How often it is set on as many issues as it has learned from."""
        return self.examples * (self.coverage or 0.0) / self.precision if self.precision else 0.0


@dataclass(frozen=True, slots=True)
class ReleaseVerdict:
    """What a maintainer is told first.

    :ivar target: the precision that is promised.
    :ivar issues_labelled: share of new issues that get a label; None where it was not measured.
    :ivar wrong, wrong_at_most: share of wrong ones among the labels that are set, and its bound
        with 90 % confidence; None where none is set.
    """

    target: float
    labels: tuple[LabelOutlook, ...]
    issues_labelled: float | None = None
    wrong: float | None = None
    wrong_at_most: float | None = None

    def names(self, mode: LabelMode) -> tuple[str, ...]:
        """Labels for which this mode is recommended, the most frequent first."""
        return tuple(label.name for label in self.labels if label.mode == mode)


def verdict_of_manifest(manifest: Mapping[str, Any]) -> ReleaseVerdict:
    """The verdict on a release, from its manifest as JSON, of whatever age."""
    rows = sorted(manifest.get("labels", ()), key=lambda row: (-row["examples"], row["name"]))
    labels = tuple(_of_row(row) for row in rows)
    applied = [label for label in labels if label.mode == "apply"]
    times = sum(label.times_set for label in applied)
    wrong = at_most = None
    if times:
        wrong = sum(label.times_set * (1 - (label.precision or 0)) for label in applied) / times
        at_most = sum(label.times_set * (1 - (label.low or 0)) for label in applied) / times
    return ReleaseVerdict(
        manifest.get("target", USUAL_TARGET),
        labels,
        manifest.get("issues_labelled"),
        wrong,
        at_most,
    )


def _of_row(row: Mapping[str, Any]) -> LabelOutlook:
    at_least, at_most = row.get("missing_at_least"), row.get("missing_at_most")
    return LabelOutlook(
        row["name"],
        row["examples"],
        mode_of(
            row["name"], MissingExamples(at_least, at_most), promised=row.get("cut") is not None
        ),
        row.get("cut"),
        row.get("precision"),
        row.get("bound"),
        coverage=row.get("coverage"),
        missing_at_least=at_least,
        missing_at_most=at_most,
    )


def mode_of(name: str, missing: MissingExamples, *, promised: bool) -> LabelMode:
    """What to set a label to.

    `off` for what even the kindest estimate calls hopeless, and for what by its wording depends on
    more than the text, unless the evidence sets an end to the examples that are missing.
    """
    if promised:
        return "apply"
    hopeless = missing.at_least is not None and missing.at_least > FAR
    if hopeless or (missing.at_most is None and depends_on_more_than_text(name)):
        return "off"
    return "suggest"


def sentences(verdict: ReleaseVerdict) -> list[str]:
    """The verdict in plain English: what to switch on, how often it errs, what to label next."""
    return [_what_to_do(verdict), *_how_often(verdict), *_label_next(verdict)]


def _what_to_do(verdict: ReleaseVerdict) -> str:
    applied, suggested, off = (verdict.names(mode) for mode in ("apply", "suggest", "off"))
    if not verdict.labels:
        return "There is no label yet."
    promise = f"that {_in_100(verdict.target)} in 100 will be right"
    parts = [
        f"Switch on {enumerated(applied)}"
        if applied
        else f"Switch on no label yet: none keeps the promise {promise}"
    ]
    if suggested:
        parts.append(f"leave {enumerated(suggested)} as suggestions")
    if off:
        depend = "depends" if len(off) == 1 else "depend"
        parts.append(f"switch off {enumerated(off)}, which {depend} on more than the text")
    return "; ".join(parts) + "."


def _how_often(verdict: ReleaseVerdict) -> Iterator[str]:
    if verdict.wrong is None:
        return
    at_most = ""
    if verdict.wrong_at_most is not None:
        at_most = f" (at most {_in_100(verdict.wrong_at_most)}, with 90 % confidence)"
    wrong = f"bout {_in_100(verdict.wrong)} in 100 of its labels are wrong{at_most}."
    if verdict.issues_labelled is None:
        yield f"A{wrong}"
        return
    n_issues = _in_100(verdict.issues_labelled) or "less than one"
    yield f"Of 100 new issues the bot labels {n_issues}; a{wrong}"


def _label_next(verdict: ReleaseVerdict) -> Iterator[str]:
    nearest = sorted(
        (label for label in verdict.labels if label.mode == "suggest"),
        key=lambda label: (
            label.missing_at_most or FAR + 1,
            label.missing_at_least or FAR + 1,
            -label.examples,
        ),
    )[:NEXT]
    if nearest:
        wanted = (f"“{label.name}” ({missing_in_words(label)})" for label in nearest)
        yield f"Label next: {', '.join(wanted)}."


def missing_in_words(label: LabelOutlook) -> str:
    """How many more examples it takes; no number where the data support none."""
    at_least, at_most = label.missing_at_least, label.missing_at_most
    if label.mode == "apply":
        return "none"
    if label.mode == "off":
        return "depends on more than the text"
    if at_least is None:
        return "more; too few to say how many"
    low = _rounded(at_least)
    if at_most is None:
        return f"at least {low:,} more"
    high = _rounded(at_most)
    if high > VAGUE * low:
        return f"up to {high:,} more"
    return f"{low:,} to {high:,} more" if high > low else f"about {low:,} more"


def configuration(verdict: ReleaseVerdict, *, watch: bool = False) -> str:
    """`.github/issue-tagger.yml` as the verdict recommends it.

    :param watch: everything in shadow, the recommended modes as comments.
    """
    lines = ["version: 1", f"precision: {verdict.target:g}"]
    if watch:
        lines += ["mode: shadow  # watches and writes nothing; instead of this line:"]
        lines += ["# mode: suggest"]
    else:
        lines.append("mode: suggest")
    chosen = [label for label in verdict.labels if label.mode != "suggest"]
    if chosen:
        lines.append(f"{'# ' if watch else ''}labels:")
        lines += [f"{'# ' if watch else ''}  {_setting(label)}" for label in chosen]
    return "\n".join(lines) + "\n"


def _setting(label: LabelOutlook) -> str:
    return f"{_key(label.name)}: {{mode: {label.mode}}}"


def _key(name: str) -> str:
    """A label's name as a key of YAML: quoted unless it could be read as nothing else."""
    plain = _PLAIN.fullmatch(name) is not None and name.lower() not in _NO_WORDS
    return name if plain else json.dumps(name, ensure_ascii=False)


def as_json(verdict: ReleaseVerdict) -> dict[str, Any]:
    """The verdict for scripts."""
    return {
        "sentences": sentences(verdict),
        "issues_labelled": verdict.issues_labelled,
        "wrong": verdict.wrong,
        "wrong_at_most": verdict.wrong_at_most,
        "labels": [
            {name: getattr(label, name) for name in LabelOutlook.__dataclass_fields__}
            for label in verdict.labels
        ],
        "configuration": configuration(verdict),
    }


def enumerated(names: Sequence[str]) -> str:
    """Names as in a sentence, in quotes; of many the first ones and a number."""
    quoted = [f"“{name}”" for name in names]
    if len(quoted) > SHOWN + 1:
        quoted = [*quoted[:SHOWN], f"{len(quoted) - SHOWN} more"]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} and {quoted[-1]}"


def _in_100(share: float) -> int:
    return round(100 * share)


def _rounded(number: int) -> int:
    """To two digits: more would pretend to be known."""
    digits = max(len(str(number)) - 2, 0)
    return int(round(number, -digits))
