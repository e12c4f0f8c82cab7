"""The model card: what a release is, written from its manifest alone.

Its metadata are the hub's (https://huggingface.co/docs/hub/model-cards). Names of labels are
people's text, so they stand as code in it, whatever they hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.github.markdown import code_span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.sharing.pushing import PushRequest
    from tagger.releases.release import Manifest, ServedLabel

REVEALED = (
    "- A vector stands for each labelled issue. Who has the encoder can tell how near a text of "
    "theirs comes to one of them, and so guess at what it says.\n"
    "- The vocabularies hold words, and pairs of words, of the labelled issues, also rare ones: "
    "a name or a key that somebody pasted into an issue may be among them."
)


@dataclass(frozen=True, slots=True)
class ModelPage:
    """A card's text, and in a line what its commit brings."""

    text: str
    commit_message: str


def model_card(manifest: Manifest, request: PushRequest) -> ModelPage:
    """The card of a release that is pushed as `request` says."""
    from huggingface_hub import ModelCardData

    about = ModelCardData(
        license=request.license,
        library_name="issue-tagger",
        pipeline_tag="text-classification",
        tags=["issue-tagger", "github-issues", "multi-label"],
    )
    text = "\n".join((f"---\n{about.to_yaml()}\n---", *_sections(manifest, request)))
    return ModelPage(text + "\n", f"Release {manifest.id} of {manifest.repository}")


def _sections(manifest: Manifest, request: PushRequest) -> Iterator[str]:
    yield f"\n# {code_span(manifest.repository)}: labels for GitHub issues\n"
    yield (
        f"Release `{manifest.id}` of [issue-tagger](https://pypi.org/project/issue-tagger/), made "
        f"on {manifest.created_at:%Y-%m-%d} from {manifest.n_issues} labelled issues by "
        f"{', '.join(manifest.strategies)}.\n"
    )
    yield f"```\nissue-tagger pull OWNER/NAME {request.model}\n```\n"
    yield "## Labels\n"
    yield (
        f"Precision is that on issues held out of training in turn, at the threshold from which a "
        f"label is applied; with 90 % confidence it is at least the bound. The promise is "
        f"{manifest.target:.0%}; a label without figures is suggested at most.\n"
    )
    yield "| label | examples | precision | bound | share of its issues reached |"
    yield "|---|---:|---:|---:|---:|"
    yield from map(_row, manifest.labels)
    yield "\n## Limits\n"
    yield from (f"- {note}" for note in _limits(manifest))
    yield "\n## What it holds of issues\n"
    yield _held(request)
    yield REVEALED
    yield "\n## Made with\n"
    yield from (f"- {role}: `{digest}`" for role, digest in sorted(manifest.models.items()))
    yield from (f"- {name} {number}" for name, number in sorted(manifest.versions.items()))


def _row(label: ServedLabel) -> str:
    figures = (label.precision, label.bound, label.coverage)
    shown = ("" if figure is None else f"{figure:.2f}" for figure in figures)
    name = code_span(label.name).replace("|", "\\|")
    return f"| {name} | {label.examples} | {' | '.join(shown)} |"


def _limits(manifest: Manifest) -> Iterator[str]:
    yield (
        "Its figures are those of this repository: in another one nothing is promised until that "
        "one's own labelled issues were measured."
    )
    if manifest.issues_labelled is not None:
        yield f"{manifest.issues_labelled:.0%} of issues get a label under the promise."
    yield "It labels; it was not made to judge people, urgency or security."
    yield from manifest.notes


def _held(request: PushRequest) -> str:
    if request.with_texts:
        return "Titles of the labelled issues, their numbers, and what follows."
    return "No text of an issue; their numbers, and what follows."
