"""Texts that say nothing: what a release sets and suggests on 200 of them, of 20 kinds.

    python docs/benchmarks/contentless.py ISSUES.jsonl.gz:LABELS.json:NAME,NAME,… --held-out 500

Trains a release of the members that need no tuning on all issues but the held-out ones, opens it,
and asks it at the usual target and at .5. Prints what it set and suggested on contentless texts and
on real issues, these with and without the check for content, and which titles it silences.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from cleaning import MEMBERS, cleaner, load

from bot.container import build
from bot.process.settings import load_settings
from tagger.chain.contentless import ContentCheck
from tagger.domain.decision import Policy
from tagger.domain.issue import IssueText
from tagger.releases.release import Release, ReleaseOrder, train_release

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tagger.domain.issue import TrainingSet

EACH = 10
EMOJI = "😀🎉🔥🚀😭👀❤️🙏🤔👍"
LETTERS = "abcdefghijklmnopqrstuvwxyz"
FORM = "### What happened?\n\n_No response_\n\n### Version\n\n_No response_\n\n- [ ] I searched\n"
TEMPLATE = (
    "<!-- Please fill in all the fields below. -->\n\n## Steps\n\n<!-- 1. 2. 3. -->\n\n## Logs\n"
)
LATIN = """
    lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut
    labore et dolore magna aliqua ut enim ad minim veniam quis nostrud exercitation ullamco
"""
GREETINGS = ("Hello", "Hi", "hey there", "Hello world", "Hi all", "hello everyone", "Hallo")
PHRASES = ("please help", "help me please", "please fix", "any update?", "bump", "me too", "same")


def kinds(draw: random.Random) -> dict[str, tuple[str, str]]:
    """Each kind's name and how one text of it is made."""

    def letters(least: int, most: int) -> str:
        return "".join(draw.choices(LETTERS, k=draw.randint(least, most)))

    def some(words: Sequence[str], least: int, most: int) -> str:
        return " ".join(draw.choices(words, k=draw.randint(least, most)))

    host = draw.choice(("example.com", "github.com", "imgur.com", "pastebin.com"))
    return {
        "the word test": (some(("Test", "test", "Testing", "TEST", "tests"), 1, 2), ""),
        "punctuation": (some(("?", "!", "...", "-", "??", "."), 1, 3), ""),
        "a mention": (f"@{letters(4, 10)}", some(("", f"@{letters(4, 9)}"), 1, 1)),
        "a mention and a plea": (f"@{letters(4, 10)} please", "@maintainer help"),
        "emoji": ("".join(draw.choices(EMOJI, k=3)), draw.choice(EMOJI)),
        "emoji by name": (f":{letters(4, 8)}:", ":tada:"),
        "an empty form": (draw.choice(("[Bug]: ", "[BUG]", "[Feature]: ", "[Question] ")), FORM),
        "an empty template": (draw.choice(("Bug report", "Feature request", "Issue")), TEMPLATE),
        "digits": (str(draw.randint(0, 10**6)), str(draw.randint(0, 99))),
        "an address": (f"https://{host}/{letters(3, 9)}/{letters(3, 9)}", ""),
        "a picture": (".", f"![{letters(4, 8)}](https://{host}/{letters(9, 20)}.png)"),
        "white space": (" " * draw.randint(1, 9), "\n\t \n" * draw.randint(1, 9)),
        "+1": (draw.choice(("+1", "+1 +1", "👍 +1")), "+1"),
        "keyboard": (
            draw.choice(("asdf", "qwerty", "asdfghjkl", "qwertz", "sdfsdf")),
            letters(8, 12),
        ),
        "letters": (letters(7, 12), some([letters(5, 12) for _ in range(5)], 1, 5)),
        "Latin": (some(LATIN.split(), 3, 6), some(LATIN.split(), 8, 30)),
        "a greeting": (draw.choice(GREETINGS), draw.choice(("", "thanks", "Hi"))),
        "a plea": (draw.choice(PHRASES), draw.choice(("", "please", "thank you"))),
        "a placeholder": (
            draw.choice(("title", "untitled", "TODO", "foo bar", "n/a", "dummy")),
            "...",
        ),
        "code without any": (draw.choice((".", "-", "code")[:2]), "```\n\n```"),
    }


def contentless() -> Iterator[tuple[str, tuple[str, str]]]:
    """Kind and text."""
    for number in range(EACH):
        yield from kinds(random.Random(number)).items()


def main() -> None:
    """One repository."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repository", help="ISSUES:LABELS:NAME,NAME,…")
    parser.add_argument("--held-out", type=int, default=500)
    parser.add_argument("--newest", type=int, default=4000)
    given = parser.parse_args()
    installation = build(load_settings())
    installation.store.migrate()  # it keeps the vectors
    resources = installation.resources()
    data = load(given.repository, cleaner("2"))
    rows = np.arange(max(0, len(data) - given.newest), len(data))
    order = np.random.default_rng(0).permutation(rows)
    test = data.subset(np.sort(order[: given.held_out]))
    train = data.subset(np.sort(order[given.held_out :]))
    train = replace(train, unlabelled=train.unlabelled[-given.newest :])
    with TemporaryDirectory() as root:
        manifest = train_release(ReleaseOrder("some/thing", Path(root)), train, resources, MEMBERS)
        release = Release.open(Path(root) / "some/thing" / manifest.id, resources)
        report(release, test)


def report(release: Release, test: TrainingSet) -> None:
    """Contentless texts, held-out issues, their titles."""
    learned = release.chain.learned_
    check = learned.content
    n_words = 0 if check.words is None else len(check.words)
    print(f"{n_words} words, {len(check.boilerplate)} template lines, chance {check.chance}")
    texts = list(contentless())
    for target in (0.9, 0.5):
        policy = Policy(default_precision=target)
        told = release.tag([IssueText.of(*text) for _, text in texts], policy)
        for verdict in ("apply", "suggest"):
            loud = [
                (kind, *text)
                for (kind, text), labels in zip(texts, told, strict=True)
                if any(label.decision == verdict for label in labels)
            ]
            print(
                f"target {target}: {verdict} on {len(loud)} of {len(texts)} contentless", loud[:5]
            )
        with_check = coverage(release, test, policy)
        release.chain.learned_ = replace(learned, content=ContentCheck())
        without = coverage(release, test, policy)
        release.chain.learned_ = learned
        print(f"target {target}: held-out issues, with the check {with_check}, without {without}")
    nearest = [label.neighbours for labels in release.tag(test.issues) for label in labels[:1]]
    print(f"issues whose first label shows no precedent: {sum(not near for near in nearest)}")
    for name, issues in (("issues", test.issues), ("titles", titles(test))):
        silent = [issue.title for issue in issues if check.says_nothing(issue)]
        print(f"of {len(issues)} held-out {name} {len(silent)} say nothing:", silent[:20])


def titles(test: TrainingSet) -> list[IssueText]:
    """The held-out issues as if nobody had written more than the title."""
    return [IssueText.of(issue.title, "") for issue in test.issues]


def coverage(release: Release, test: TrainingSet, policy: Policy) -> str:
    """Labels applied or applied and suggested, right ones, of the labels that issues carry."""
    told = release.tag(test.issues, policy)
    column = {name: place for place, name in enumerate(release.names)}
    hits = {"apply": 0, "suggest": 0}
    for row, labels in enumerate(told):
        for label in labels:
            if label.decision in hits and test.targets[row, column[label.name]]:
                hits[label.decision] += 1
    total = int(test.targets.sum())
    return f"applied {hits['apply'] / total:.4f}, suggested {hits['suggest'] / total:.4f}"


if __name__ == "__main__":
    main()
