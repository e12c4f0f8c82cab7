"""A label's wordings: what its name, description and aliases say in plain English.

Names follow conventions (`c: Privacy`, `area/web`, `:bug: Bug`, `good-first-issue`) that no model
was trained on; here they are turned into words. Labels that most repositories share (GitHub's
defaults and the usual kinds and areas) bring paraphrases and the share of issues that usually
carries them; everything else is described by its own words alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagger.domain.issue import Label

UNKNOWN_SHARE = 0.05
"""Share of issues that a label with an unfamiliar name is taken to carry."""

TEMPLATE = "This issue is about {}."
"""How a wording becomes a hypothesis for entailment."""


@dataclass(frozen=True, slots=True)
class Convention:
    """A label that many repositories have.

    :ivar names: readable names under which it goes.
    :ivar phrases: what people write in, or say of, such issues.
    :ivar share: usual share of a repository's issues, in [0, 1]. Among 803,000 issues of 127,000
        repositories that carry one of the three, 50 % are bugs, 41 % enhancements and 9 %
        questions (Kallis et al. 2022, "The NLBSE'22 Tool Competition",
        https://nlbse2022.github.io/tools/); taken a little lower, for others carry none of them.
        The remaining shares are guesses of the same kind.
    """

    names: tuple[str, ...]
    phrases: tuple[str, ...]
    share: float = UNKNOWN_SHARE


CONVENTIONS = (
    Convention(
        ("bug", "defect", "error", "crash", "fault"),
        (
            "something is broken",
            "an error, crash or wrong result",
            "exception or traceback",
            "it does not work as expected",
        ),
        share=0.45,
    ),
    Convention(
        ("enhancement", "feature", "feature request", "new feature", "improvement", "proposal"),
        (
            "feature request",
            "a new feature",
            "an improvement to existing functionality",
            "please add support for",
        ),
        share=0.35,
    ),
    Convention(
        ("question", "support", "help", "discussion", "q a"),
        ("how do I", "asking for help or clarification", "usage question"),
        share=0.1,
    ),
    Convention(
        ("documentation", "docs", "doc", "readme"),
        (
            "docs",
            "improve the documentation, readme or tutorial",
            "typo in the docs",
            "missing or wrong explanation in the guide",
        ),
        share=0.06,
    ),
    Convention(
        ("task", "chore", "maintenance", "refactoring", "refactor", "cleanup", "technical debt"),
        ("technical task or chore", "maintenance, refactoring or clean-up", "internal change"),
    ),
    Convention(
        ("regression",),
        ("it worked in the previous version", "broken since the update", "stopped working"),
    ),
    Convention(
        ("performance", "perf", "speed", "optimization", "optimisation"),
        (
            "slow",
            "takes too long or uses too much memory",
            "speed, memory and processor usage",
            "optimise",
        ),
    ),
    Convention(
        ("security", "vulnerability"),
        (
            "security vulnerability",
            "cross-site scripting, injection or other attacks",
            "authentication, permissions, passwords",
        ),
    ),
    Convention(
        ("privacy", "gdpr"),
        ("personal data, gdpr, consent", "anonymise or delete user data"),
    ),
    Convention(
        ("design", "ui", "gui", "user interface", "frontend", "front end", "css", "style"),
        ("user interface", "layout, style, css, colours, icons", "looks wrong on the screen"),
    ),
    Convention(
        ("usability", "ux", "user experience"),
        ("user experience", "easier to use", "confusing for users"),
    ),
    Convention(
        ("accessibility", "a11y"),
        ("screen reader, keyboard navigation, contrast", "usable by people with disabilities"),
    ),
    Convention(
        ("tests", "test", "testing", "qa", "unit tests"),
        ("automated tests", "failing test in continuous integration", "unit test, test coverage"),
    ),
    Convention(
        ("ci", "build", "packaging", "infrastructure", "continuous integration", "release"),
        ("build, packaging or continuous integration", "pipeline, workflow, docker image"),
    ),
    Convention(
        ("installation", "install", "setup", "deployment"),
        ("problem installing or upgrading", "set up, deploy, configure"),
    ),
    Convention(
        ("dependencies", "dependency"),
        ("update a dependency", "version of a required package or library"),
    ),
    Convention(
        ("translation", "translations", "i18n", "l10n", "localization", "localisation"),
        ("translate into other languages", "locale, time zone, wrong translation"),
    ),
    Convention(
        ("good first issue", "beginner", "easy", "starter", "help wanted"),
        ("an easy task for new contributors", "contributions are welcome"),
    ),
    Convention(("duplicate",), ("reported before", "the same as another issue"), share=0.03),
    Convention(
        ("invalid", "wontfix", "won t fix", "not a bug"),
        ("this will not be worked on", "works as intended"),
        share=0.03,
    ),
    Convention(("api",), ("programming interface, endpoint, request and response",)),
    Convention(("cli", "command line"), ("command line tool, terminal, arguments",)),
    Convention(("windows",), ("on microsoft windows",)),
    Convention(("macos", "mac", "osx"), ("on apple macos",)),
    Convention(("linux",), ("on linux, ubuntu, debian",)),
    Convention(("android",), ("on an android phone",)),
    Convention(("ios",), ("on an iphone or ipad",)),
    Convention(("mobile",), ("on a phone or tablet",)),
    Convention(("database", "db"), ("database, sql, query, migration",)),
    Convention(("plugin", "plugins", "extension", "extensions"), ("plugin or extension",)),
    Convention(("networking", "network"), ("connection, proxy, timeout, http",)),
)

_EMOJI_CODE = re.compile(r":[a-z0-9_+-]+:", re.IGNORECASE)
_BRACKETED = re.compile(r"^\s*[\[(][^\])]*[\])]\s*(?=\S)")
_PREFIX = re.compile(r"^\s*[^:/\\]*?(?::|(?<=\S)[/\\](?=\S))\s*(?=\S)")
_LETTER_PREFIX = re.compile(r"^[A-Za-z][-_. ](?=[A-Za-z]{2})")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SYMBOLS = re.compile(r"[^\w.#+]+|_+")
_PARTS = re.compile(r"\s*(?:/|&|,|\+| and | or )\s*", re.IGNORECASE)


def readable(name: str) -> str:
    """The label's name without its convention: `area: web_UI` → `web ui`, `:bug: Bug` → `bug`.

    Never empty for a name that is not: where nothing readable is left, the name itself.
    """
    return _words(_without_prefix(name)) or _words(name) or name.strip().lower()


def verbalizers(label: Label) -> tuple[str, ...]:
    """Every way to say the label, best first, without repeats: name, description, aliases, usage.

    Never empty. The first is the readable name.
    """
    return tuple(dict.fromkeys(verbalizer for verbalizer in _all_wordings(label) if verbalizer))


def hypotheses(label: Label, limit: int = 2) -> tuple[str, ...]:
    """Sentences that would follow from an issue that deserves the label, best first.

    The name, then the description, aliases and paraphrases. A hypothesis costs a pass of the
    cross-encoder for every issue, hence the limit: with a small NLI model on two repositories,
    name and description ranked issues better than either alone, and the name in a second sentence
    added nothing (mean average precision of the labels .309, .282, .239; .286 with it).
    """
    wordings = verbalizers(label)
    others = sorted(
        wordings[1:], key=lambda verbalizer: verbalizer not in (label.description, *label.aliases)
    )
    sentences = [TEMPLATE.format(verbalizer.rstrip(".")) for verbalizer in (wordings[0], *others)]
    return tuple(dict.fromkeys(sentences))[:limit]


def usual_share(label: Label) -> float:
    """Share of issues that usually carries such a label, in (0, 1): a prior, measured nowhere."""
    shares = [convention.share for convention in _conventions_of(label.name)]
    return max(shares, default=UNKNOWN_SHARE)


def background() -> tuple[str, ...]:
    """Phrases of every convention: what issues are about anywhere, for repositories with none."""
    return tuple(phrase for convention in CONVENTIONS for phrase in convention.phrases)


def _all_wordings(label: Label) -> Iterator[str]:
    yield readable(label.name)
    if ":" in label.name or "/" in label.name:
        yield _words(label.name) if len(label.name.split(":")[0]) > 2 else ""
    yield " ".join(label.description.split())
    yield from (" ".join(alias.split()) for alias in label.aliases)
    for convention in _conventions_of(label.name):
        yield from convention.phrases


def _conventions_of(name: str) -> tuple[Convention, ...]:
    """Conventions met by the whole readable name, or else by the parts of `Design / UI`."""
    whole = readable(name)
    if whole in _by_name():
        return (_by_name()[whole],)
    parts = (_words(part) for part in _PARTS.split(_without_prefix(name)))
    return tuple(dict.fromkeys(_by_name()[part] for part in parts if part in _by_name()))


@cache
def _by_name() -> dict[str, Convention]:
    return {name: convention for convention in CONVENTIONS for name in convention.names}


def _without_prefix(name: str) -> str:
    """Drop `c:`, `area/`, `[Type]`, `C-`, and emoji codes, as long as something stays."""
    bare = _EMOJI_CODE.sub(" ", name).strip() or name.replace(":", " ").strip()
    for pattern in (_BRACKETED, _PREFIX, _LETTER_PREFIX):
        bare = pattern.sub("", bare, count=1).strip() or bare
    return bare


def _words(name: str) -> str:
    """Lower-case words of a name: hyphens, underscores, emoji and camel case resolved."""
    spaced = _SYMBOLS.sub(" ", _CAMEL.sub(" ", _EMOJI_CODE.sub(" ", name)))
    return " ".join(spaced.lower().strip(" .").split())
