"""Whether an issue describes a vulnerability in public. Pure, and by words one can read.

One such word in a title, or two different ones in the text, outside of code. A report of one ought
to go to the maintainers in private, so this is told to them alone, and never in a comment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tagger.domain.issue import IssueText

MAX_READ = 20_000
"""Characters of a text that are read."""

IN_TEXT = 2
"""Different kinds of words that a body has to have, where the title has none."""

_KINDS = {
    "CVE": r"\bCVE-\d{4}-\d{4,}\b",
    "code execution": r"\b(?:remote|arbitrary) code execution\b|\b(?-i:RCE)\b",
    "injection": r"\b(?:sql|command|code|header|template|ldap) injections?\b",
    "cross-site scripting": r"\bcross[- ]site scripting\b|\b(?-i:XSS)\b",
    "request forgery": r"\brequest forgery\b|\b(?-i:CSRF|SSRF|XSRF)\b",
    "path traversal": r"\b(?:path|directory) traversal\b",
    "arbitrary files": r"\barbitrary files? (?:read|write|upload|inclusion|disclosure)\b",
    "privilege escalation": r"\bprivilege escalation\b|\bescalation of privileges?\b",
    "bypass": r"\b(?:authentication|authorization|login|2fa) bypass\b",
    "vulnerability": r"\bvulnerabilit(?:y|ies)\b|\bsecurity (?:hole|flaw|bug|vulnerability)\b",
    "exposure": r"\b(?:leak|expos|disclos)\w* (?:of )?(?:\w+ )?(?:passwords?|credentials|secrets|"
    r"api keys?|(?:access|api|auth) tokens?)\b",
    "exploit": r"\bexploit(?:able|ed|s)?\b|\bproof[- ]of[- ]concept exploit\b",
}
_PATTERNS = {kind: re.compile(words, re.IGNORECASE) for kind, words in _KINDS.items()}
_CODE = re.compile(r"```.*?(?:```|\Z)|~~~.*?(?:~~~|\Z)|`[^`\n]{1,300}`", re.DOTALL)


def security_words(issue: IssueText) -> tuple[str, ...]:
    """Kinds of words that speak of a vulnerability; empty where they are too few."""
    in_title = _kinds(issue.title)
    in_text = _kinds(_CODE.sub(" ", issue.body[:MAX_READ]))
    kinds = tuple(dict.fromkeys((*in_title, *in_text)))
    return kinds if in_title or len(kinds) >= IN_TEXT else ()


def _kinds(text: str) -> tuple[str, ...]:
    return tuple(kind for kind, pattern in _PATTERNS.items() if pattern.search(text))
