"""Labels that depend on more than an issue's text: states, priorities, invitations, verdicts.

Whether an issue is a duplicate, urgent or fit for a newcomer is for people to say who know the
project; the text hints at it at best. The wording alone marks such a label only as long as the
evidence does not speak against it, see `tagger.monitoring.verdict.mode_of`.
"""

from __future__ import annotations

import re

from tagger.label_semantics.prompts import readable

_INVITATIONS = (
    "good first issue|first timers only|first good issue|good for newcomers|beginner|"
    "beginner friendly|starter|easy|easy fix|help wanted|up for grabs|contributions welcome|"
    "hacktoberfest|pr welcome|prs welcome"
)
_VERDICTS = (
    "duplicate|invalid|wontfix|won t fix|not planned|not a bug|out of scope|"
    "works as (?:intended|designed)|confirmed|verified|accepted|rejected|declined|reproduced|"
    "answered|resolved|fixed|solved|completed|done|released"
)
_STATES = (
    "stale|inactive|no recent activity|blocked|on hold|in progress|in review|backlog|icebox|"
    "wip|pinned|keep open|waiting(?: .*)?|awaiting(?: .*)?|pending(?: .*)?|"
    "needs? (?:triage|review|info|information|discussion|decision|reproduction|repro|"
    "confirmation|more info.*)|to be (?:verified|discussed|confirmed)|triaged?|under review"
)
_GRADE = (
    r"(?:high|highest|low|lowest|medium|normal|critical|urgent|minor|major|trivial|small|large)"
)
_WEIGHTS = (
    rf"(?:priority|severity|prio|impact|effort|difficulty|size)(?: {_GRADE}| x*[sml]| \d+)?|"
    rf"p ?[0-5]|sev ?[0-5]|{_GRADE} (?:priority|severity|impact|effort)|urgent|"
    r"release blocker|blocker"
)
_PROCESS = re.compile(rf"(?:{_INVITATIONS}|{_VERDICTS}|{_STATES}|{_WEIGHTS})")
_PREFIXED = re.compile(
    r"^\W*(?:priority|prio|severity|status|state|effort|difficulty|size|triage|resolution|"
    r"workflow|stage|impact)\s*[:/=]", re.IGNORECASE,
)  # fmt: skip


def depends_on_more_than_text(name: str) -> bool:
    """Whether a label's wording says that people decide it by more than the issue's text."""
    return _PREFIXED.match(name) is not None or _PROCESS.fullmatch(readable(name)) is not None
