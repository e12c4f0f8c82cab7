"""How the API says no: a status and a sentence, the same for pages and scripts."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from bot.errors import BotError, CommandRefused
from bot.github.errors import (
    Forbidden,
    GitHubError,
    NotFound,
    RateLimited,
    Unauthorized,
    Unreachable,
)
from bot.signin.roles import SignInExpired
from store.errors import LeaseHeld, NotStored, StoreError, StoreUnavailable
from tagger.errors import TaggerError

if TYPE_CHECKING:
    from collections.abc import Iterator


class ApiRefusal(Exception):
    """An answer that says no."""

    def __init__(self, status: int, message: str, *, retry_after: int = 0) -> None:
        self.status = status
        self.message = message
        self.retry_after = retry_after
        super().__init__(message)


class NotShown(ApiRefusal):
    """There is no such thing, or who asks may not know of it: both look the same."""

    def __init__(self) -> None:
        super().__init__(404, "There is no such page, or you may not see it.")


class SignInNeeded(ApiRefusal):
    """Nobody has signed in, or no longer is."""

    def __init__(self, message: str = "Sign in first.") -> None:
        super().__init__(401, message)


@contextmanager
def in_refusals() -> Iterator[None]:
    """Turn what a use case raises on purpose into answers."""
    try:
        yield
    except SignInExpired:
        raise SignInNeeded("GitHub no longer knows this sign-in. Sign in again.") from None
    except NotStored as error:
        raise ApiRefusal(404, _sentence(error)) from None
    except (CommandRefused, LeaseHeld) as error:
        raise ApiRefusal(409, _sentence(error)) from None
    except StoreUnavailable as error:
        raise ApiRefusal(503, _sentence(error), retry_after=5) from None
    except GitHubError as error:
        raise _of_github(error) from None
    except (BotError, StoreError, TaggerError) as error:
        raise ApiRefusal(409, _sentence(error)) from None


def _of_github(error: GitHubError) -> ApiRefusal:
    if isinstance(error, Unauthorized):
        return SignInNeeded("GitHub no longer knows this sign-in. Sign in again.")
    if isinstance(error, Forbidden):
        return ApiRefusal(403, "GitHub does not let you do that.")
    if isinstance(error, NotFound):
        return ApiRefusal(409, "GitHub has it no more.")
    if isinstance(error, RateLimited | Unreachable):
        return ApiRefusal(503, "GitHub does not answer now. Try again.", retry_after=30)
    return ApiRefusal(502, _sentence(error))


def _sentence(error: Exception) -> str:
    text = str(error).strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
