"""What a webhook says, from minimal, odd and complete payloads."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.github.errors import BadPayload
from bot.github.events import (
    CommentFact,
    InstallationFact,
    IssueFact,
    LabelFact,
    PingFact,
    PushFact,
    RepositoryFact,
    read_event,
)

USED = (
    "issues",
    "issue_comment",
    "label",
    "installation",
    "installation_repositories",
    "repository",
    "push",
    "ping",
)
ISSUE = {"number": 7, "title": "It crashes", "body": None, "labels": [{"name": "bug"}, "old"]}
SHARED = {
    "repository": {"full_name": "octo/lab", "id": 3, "default_branch": "main"},
    "sender": {"login": "ada", "id": 2, "type": "User"},
    "installation": {"id": 99},
}


def test_an_opened_issue_tells_where_what_and_who() -> None:
    fact = read_event("issues", {"action": "opened", "issue": ISSUE, **SHARED})
    assert isinstance(fact, IssueFact)
    assert (fact.repository.full_name, fact.installation, fact.sender.login) == (
        "octo/lab",
        99,
        "ada",
    )
    assert (fact.issue.number, fact.issue.title, fact.issue.body) == (7, "It crashes", "")
    assert fact.issue.label_names == {"bug", "old"}
    assert not fact.by_bot


def test_a_discussion_is_told_as_issues_are_under_no_id() -> None:
    discussion = {**ISSUE, "id": 5, "category": {"name": "Q&A"}, "state": "locked", "locked": True}
    fact = read_event("discussion", {"action": "created", "discussion": discussion, **SHARED})
    assert (fact.action, fact.issue.target, fact.issue.category) == ("opened", "discussions", "Q&A")
    assert (fact.issue.id, fact.issue.state, fact.issue.locked) == (None, "open", True)
    assert (fact.issue.label_names, fact.labels_told) == ({"bug", "old"}, True)
    del discussion["labels"], discussion["category"]
    fact = read_event("discussion", {"action": "closed", "discussion": discussion, **SHARED})
    assert (fact.issue.target, fact.issue.label_names) == ("discussions", frozenset())
    assert not fact.labels_told


@pytest.mark.parametrize(("action", "added"), [("labeled", "bug"), ("unlabeled", None)])
def test_a_label_event_tells_which_label_came_or_went(action, added) -> None:
    payload = {"action": action, "issue": ISSUE, "label": {"name": "bug"}, **SHARED}
    fact = read_event("issues", payload)
    assert (fact.label.name, fact.label_added) == ("bug", added)


@pytest.mark.parametrize("sender", [{"login": "x", "type": "Bot"}, {"login": "tagger[bot]"}])
def test_a_bot_is_told_from_a_person(sender) -> None:
    fact = read_event("issues", {"action": "opened", "issue": ISSUE, "sender": sender})
    assert fact.by_bot


def test_an_edit_tells_what_the_text_was_before() -> None:
    changes = {"title": {"from": "Crash"}, "body": {"from": None}}
    fact = read_event("issues", {"action": "edited", "issue": ISSUE, "changes": changes})
    assert (fact.title_before, fact.body_before) == ("Crash", "")
    untouched = read_event("issues", {"action": "edited", "issue": ISSUE, "changes": {}})
    assert (untouched.title_before, untouched.body_before) == (None, None)


def test_a_comment_tells_its_author_and_issue() -> None:
    comment = {
        "id": 5,
        "body": "/tagger why",
        "user": {"login": "ada"},
        "author_association": "OWNER",
    }
    fact = read_event("issue_comment", {"action": "created", "issue": ISSUE, "comment": comment})
    assert isinstance(fact, CommentFact)
    assert (fact.body, fact.author.login, fact.issue.number) == ("/tagger why", "ada", 7)


def test_a_renamed_label_tells_its_previous_name() -> None:
    payload = {"action": "edited", "label": {"name": "new"}, "changes": {"name": {"from": "old"}}}
    fact = read_event("label", payload)
    assert isinstance(fact, LabelFact)
    assert (fact.previous_name, fact.label.name) == ("old", "new")


@pytest.mark.parametrize(
    ("action", "gained", "lost"),
    [
        ("created", ("octo/lab",), ()),
        ("deleted", (), ("octo/lab",)),
        ("suspend", (), ("octo/lab",)),
    ],
)
def test_an_installation_tells_what_it_opens_or_closes(action, gained, lost) -> None:
    payload = {
        "action": action,
        "installation": {"id": 99, "account": {"login": "octo"}},
        "repositories": [{"full_name": "octo/lab"}],
    }
    fact = read_event("installation", payload)
    assert isinstance(fact, InstallationFact)
    assert (fact.installation, fact.account, fact.gained, fact.lost) == (99, "octo", gained, lost)


def test_repositories_added_to_an_installation_are_told() -> None:
    payload = {
        "action": "added",
        "installation": {"id": 99},
        "repositories_added": [{"full_name": "octo/lab"}],
        "repositories_removed": None,
    }
    assert read_event("installation_repositories", payload).gained == ("octo/lab",)


@pytest.mark.parametrize(
    ("changes", "previous"),
    [
        ({"repository": {"name": {"from": "den"}}}, "octo/den"),
        ({"owner": {"from": {"user": {"login": "ada"}}}}, "ada/lab"),
        ({"owner": {"from": {"organization": {"login": "org"}}}}, "org/lab"),
        (None, None),
    ],
)
def test_a_moved_repository_tells_its_previous_name(changes, previous) -> None:
    fact = read_event("repository", {"action": "renamed", "changes": changes, **SHARED})
    assert isinstance(fact, RepositoryFact)
    assert fact.previous_full_name == previous


def test_a_push_tells_its_branch_and_files() -> None:
    commits = [{"added": ["a"], "removed": ["b"]}, {"modified": [".github/issue-tagger.yml"]}]
    payload = {"ref": "refs/heads/main", "after": "abc", "commits": commits, **SHARED}
    fact = read_event("push", payload)
    assert isinstance(fact, PushFact)
    assert (fact.branch, fact.head, fact.to_default_branch) == ("main", "abc", True)
    assert fact.paths == {"a", "b", ".github/issue-tagger.yml"}


@pytest.mark.parametrize("ref", ["refs/tags/main", "refs/heads/feature/main"])
def test_a_tag_or_another_branch_is_not_the_default_branch(ref) -> None:
    assert not read_event("push", {"ref": ref, **SHARED}).to_default_branch


def test_a_ping_tells_its_hook() -> None:
    fact = read_event("ping", {"zen": "Keep it simple.", "hook_id": 4})
    assert isinstance(fact, PingFact)
    assert fact.hook_id == 4


def test_an_event_that_is_not_used_is_none() -> None:
    assert read_event("star", {"action": "created"}) is None


@pytest.mark.parametrize(
    "payload", [None, [], "text", 7, {}, {"issue": {}}, {"issue": {"number": -1}}]
)
def test_a_payload_without_its_subject_is_refused(payload) -> None:
    with pytest.raises(BadPayload, match="issues webhook"):
        read_event("issues", payload)


def test_half_a_surrogate_a_nul_and_a_huge_number_do_no_harm() -> None:
    odd = {**ISSUE, "title": "\ud800 bro\0ken", "created_at": "2026-03-01T12:00:00"}
    fact = read_event("issues", {"action": "opened", "issue": odd})
    assert fact.issue.title.encode() == b"? bro?ken"
    assert fact.issue.created_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    with pytest.raises(BadPayload):
        read_event("issues", {"action": "opened", "issue": {**ISSUE, "number": 2**63}})


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = ("action", "issue", "label", "changes", "comment", "repository", "sender", "installation",
        "repositories", "repositories_added", "ref", "commits", "number", "name", "full_name", "id",
        "labels", "title", "body", "user", "login", "from", "owner")  # fmt: skip
mutants = st.recursive(
    json_values,
    lambda inner: st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=20,
)


@given(event=st.sampled_from(USED), payload=mutants)
def test_any_json_is_a_fact_or_a_bad_payload(event, payload) -> None:
    try:
        fact = read_event(event, payload)
    except BadPayload as error:
        fact = error
    assert fact is not None


def examples() -> dict[str, list[object]]:
    """GitHub's own examples: the npm package @octokit/webhooks-examples, unpacked."""
    folder = os.environ.get("TEST_WEBHOOK_EXAMPLES")
    if not folder:
        pytest.skip("set TEST_WEBHOOK_EXAMPLES to an unpacked npm @octokit/webhooks-examples")
    entries = json.loads(Path(folder, "api.github.com", "index.json").read_text("utf-8"))
    return {entry["name"]: entry["examples"] for entry in entries}


@pytest.mark.parametrize("event", USED)
def test_githubs_own_examples_are_read(event) -> None:
    found = examples()[event]
    facts = [read_event(event, payload) for payload in found]
    assert len(facts) >= 3
    assert [fact.action for fact in facts] == [payload.get("action", "") for payload in found]
    senders = [payload["sender"]["login"] for payload in found if payload.get("sender")]
    assert [fact.sender.login for fact in facts if fact.sender] == senders
