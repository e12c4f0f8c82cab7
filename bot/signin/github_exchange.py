"""GitHub's sign-in for people: where to send the browser, and the code's exchange for a token.

OAuth 2.0 with PKCE (RFC 7636, S256) and `state`, as GitHub documents it for Apps:
https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-user-access-token-for-a-github-app
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx

from bot.github.errors import BadPayload, GitHubError
from bot.github.manifest import web_address
from bot.github.models import UserToken, parse

if TYPE_CHECKING:
    from pydantic import SecretStr

SECONDS = 10.0


@dataclass(frozen=True)
class UserSignIn:
    """The sign-in of one App on one GitHub.

    :ivar transport: reaches GitHub without a network, for tests and the demo.
    """

    api_url: str
    client_id: str
    client_secret: SecretStr
    transport: httpx.AsyncBaseTransport | None = field(default=None, repr=False)

    def page(self, redirect: str, state: str, verifier: str) -> str:
        """GitHub's page to send the browser to.

        :param redirect: where GitHub sends it back, one of the App's callback addresses.
        :param verifier: a secret that only the exchange shows.
        """
        query = {
            "client_id": self.client_id,
            "redirect_uri": redirect,
            "state": state,
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{web_address(self.api_url)}/login/oauth/authorize?{urlencode(query)}"

    async def exchange(self, code: str, redirect: str, verifier: str) -> UserToken:
        """The person's token for the code with which the browser came back.

        :raises GitHubError: the code is not taken, or GitHub could not be asked.
        """
        form = {
            "client_id": self.client_id,
            "client_secret": self.client_secret.get_secret_value(),
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": verifier,
        }
        address = f"{web_address(self.api_url)}/login/oauth/access_token"
        try:
            async with httpx.AsyncClient(transport=self.transport, timeout=SECONDS) as http:
                response = await http.post(
                    address, data=form, headers={"Accept": "application/json"}
                )
            answer = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise GitHubError(f"GitHub's sign-in did not answer: {type(error).__name__}") from None
        if not isinstance(answer, dict) or "error" in answer:
            raise GitHubError("GitHub's sign-in did not take the code; sign in again")
        try:
            return parse(UserToken, answer, "a person's token")
        except BadPayload:
            raise GitHubError("GitHub's sign-in answered without a token") from None


def challenge(verifier: str) -> str:
    """What GitHub is shown of the verifier (RFC 7636, 4.2)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
