"""A browser without JavaScript, and a GitHub that people sign in to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.testclient import TestClient

from bot.simulator.app import create_app as github_pages

if TYPE_CHECKING:
    from bot.simulator.state import GitHubState

HERE = "http://127.0.0.1"


@dataclass
class PageForm:
    """A form: where it goes, its hidden fields, and its buttons."""

    action: str
    fields: dict[str, str]
    buttons: list[tuple[str, str]]


class Forms(HTMLParser):
    """The forms of a page, and the ids in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.tags: list[tuple[str, dict[str, Any]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "form":
            self.forms.append(PageForm(given.get("action", ""), {}, []))
        elif given.get("type") == "checkbox" and "checked" not in given:
            return
        elif tag == "input" and self.forms and given.get("name"):
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "button" and self.forms:
            self.forms[-1].buttons.append((given.get("name", ""), given.get("value", "")))


class Browser:
    """Follows links and sends forms, as a browser without JavaScript does."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, path: str, status: int = 200) -> str:
        answer = self.client.get(path)
        assert answer.status_code == status, answer.text
        return answer.text

    def form(self, path: str, *, action: str, **fields: str) -> PageForm:
        """The first form of a page that goes there and has these fields."""
        for form in Forms(self.get(path)).forms:
            if form.action.endswith(action) and fields.items() <= form.fields.items():
                return form
        raise AssertionError(f"{path} has no form {action} with {fields}")

    def send(self, form: PageForm, status: int = 200, **changed: str) -> str:
        answer = self.client.post(form.action, data=form.fields | changed)
        assert answer.status_code == status, answer.text
        return answer.text


def sign_in(client: TestClient, github: GitHubState, login: str, back: str = "/"):
    """Go through GitHub's sign-in as this person; the last answer."""
    github.browser_login = login
    first = client.get(f"/signin/github?back={back}", follow_redirects=False)
    assert first.status_code == 303, first.text
    asked = urlsplit(first.headers["location"])
    with TestClient(github_pages(github), base_url=f"{asked.scheme}://{asked.netloc}") as there:
        returned = there.get(f"{asked.path}?{asked.query}", follow_redirects=False)
    target = urlsplit(returned.headers["location"])
    return client.get(f"{target.path}?{target.query}")


def csrf_of(text: str) -> str:
    match = re.search(r'name="csrf" value="([^"]+)"', text)
    assert match is not None
    return match[1]
