"""`issue-tagger demo`: the whole service at work, on invented issues or on your own."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import opening
from bot.cli.issues.label_words import threshold_in_words
from bot.cli.options import repository_name
from bot.cli.output import plain, say
from tagger.domain.decision import UNFAMILIAR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.demo.material import Material
    from bot.demo.play import Audience, LabelledIssue
    from bot.learning.gating import Retrained
    from bot.repositories.importing import Imported
    from store.records import PredictedLabel

SHOWN_NEIGHBOURS = 2


def demo(
    *,
    issues: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Issues of your own, as for `import`."),
    ] = None,
    repo: Annotated[
        str | None,
        typer.Option(metavar="REPO", callback=repository_name, help="Whose issues these are."),
    ] = None,
) -> None:
    """Import, train, serve, send signed webhooks, show the labels; all on this machine."""
    import logging
    import tempfile

    from bot.demo.material import from_file, from_sample
    from bot.demo.play import play
    from bot.process.logs import set_up_logs
    from bot.process.progress import ShownProgress

    if (issues is None) != (repo is None):
        raise typer.BadParameter("--issues FILE and --repo OWNER/NAME go together")
    set_up_logs("text", (), logging.DEBUG if opening.debug else logging.WARNING)
    with ShownProgress() as progress:
        material = from_file(issues, repo, progress) if issues and repo else from_sample(progress)
    with tempfile.TemporaryDirectory(prefix="issue-tagger-demo-") as folder:
        shown = play(material, Path(folder), _audience(material))
    say_shown(shown)


def _audience(material: "Material") -> "Audience":
    from bot.cli.learning.training_words import say_retrained
    from bot.demo import stage
    from bot.demo.play import Audience

    def imported(done: "Imported") -> None:
        say(f"1. import: {done.issues.new} issues and pull requests, {done.labels} labels of")
        say(f"   {material.repository}, {material.source}")
        say(f"   kept back: {len(material.unseen)} issues that the bot never sees before step 4")

    def trained(done: "Retrained") -> None:
        say()
        say("2. train")
        say()
        say_retrained(done)

    def serving(github: str, service: str) -> None:
        say()
        say("3. serve")
        say(f"   a simulator of GitHub at {github}, the service at {service}/webhook")
        say(f"   .github/issue-tagger.yml: {', '.join(stage.CONFIGURATION.splitlines())}")

    def answered(statuses: "Sequence[int]") -> None:
        say()
        accepted = sum(status == 202 for status in statuses)
        say(f"4. {len(statuses)} signed webhooks issues.opened, {accepted} answered with 202")

    return Audience(imported, trained, serving, answered)


def say_shown(shown: "Sequence[LabelledIssue]") -> None:
    """Each issue with what is on GitHub now and why, and how often that was right."""
    for labelled_issue in shown:
        say()
        say(f"#{labelled_issue.number} {plain(labelled_issue.title, 90)}")
        labels = {label.name.casefold(): label for label in labelled_issue.predicted}
        for how, names in (
            ("set", labelled_issue.on_github),
            ("suggested", labelled_issue.suggested),
        ):
            for name in names:
                say_label(how, name, labels.get(name.casefold()))
        if not labelled_issue.on_github and not labelled_issue.suggested:
            say("   no label is likely enough")
        say(f"   people gave it: {', '.join(sorted(labelled_issue.right)) or 'none'}")
    say()
    say(f"labels set: {_score(shown, 'on_github')}; suggested: {_score(shown, 'suggested')}")


def say_label(how: str, name: str, label: "PredictedLabel | None") -> None:
    """One label on one issue: score, reason, nearest issues."""
    if label is None:
        say(f"   {how:<10}{name}")
        return
    why = label.decided_by if label.decided_by == UNFAMILIAR else f"mostly {label.decided_by}"
    say(f"   {how:<10}{name}  {label.score:.2f} ({threshold_in_words(how, label)}; {why})")
    for neighbour in label.neighbours[:SHOWN_NEIGHBOURS]:
        labels = ", ".join(neighbour["labels"]) or "no label"
        title = plain(str(neighbour["title"]), 60)
        say(f"             {neighbour['similarity']:.2f} #{neighbour['number']} {title} [{labels}]")


def _score(shown: "Sequence[LabelledIssue]", how: str) -> str:
    predicted = [
        (name, labelled_issue.right)
        for labelled_issue in shown
        for name in getattr(labelled_issue, how)
    ]
    right = sum(name in people for name, people in predicted)
    return f"{len(predicted)}, {right} of them as people did"
