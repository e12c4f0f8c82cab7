"""Which labels are recognised as people's to give, by their wording."""

import pytest

from tagger.label_semantics.process_labels import depends_on_more_than_text


@pytest.mark.parametrize(
    "name",
    [
        "good first issue", "good-first-issue", "help wanted", "Hacktoberfest", "duplicate",
        "wontfix", "stale", "P1", "priority: high", "Severity/critical", "needs triage",
        "status: blocked", "waiting for author", "size/XL", ":hourglass: stale",
        "Type: To Be Verified", "needs-more-info", "prio:low",
    ],
)  # fmt: skip
def test_labels_that_people_decide(name: str) -> None:
    assert depends_on_more_than_text(name)


@pytest.mark.parametrize(
    "name",
    [
        "bug", "enhancement", "documentation", "question", "area: backend", "c: Performance",
        "dataset request", "streaming", "security", "p2p", "resizing", "easyocr", "status page",
        "feature: priority queue",
    ],
)  # fmt: skip
def test_labels_that_the_text_tells(name: str) -> None:
    assert not depends_on_more_than_text(name)
