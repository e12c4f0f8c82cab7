"""The hub: a model repository's files, sent and fetched, through `huggingface_hub`.

The token comes from where that library looks for it: HF_TOKEN, or `hf auth login`.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.errors import CommandRefused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from huggingface_hub import HfApi

    from bot.sharing.model_card import ModelPage

CARD = "README.md"
STAYS = frozenset({".gitattributes"})
"""What the hub keeps in a repository by itself."""


class HubRefused(CommandRefused):
    """The hub did not do what was asked: its reason, and what to look at."""


@dataclass(frozen=True, slots=True)
class SentCommit:
    """What a push left at the hub.

    :ivar commit: by which the files can be asked for whatever comes later.
    :ivar url: of the model's page.
    """

    commit: str
    url: str


class ModelHub:
    """One hub, as this machine may use it.

    :param endpoint: its address; None: HF_ENDPOINT, or https://huggingface.co.
    """

    def __init__(self, endpoint: str | None = None) -> None:
        from huggingface_hub import HfApi
        from huggingface_hub.utils.tqdm import disable_progress_bars

        disable_progress_bars()  # one for each of many small files; the command shows its own
        self._api: HfApi = HfApi(endpoint=endpoint, library_name="issue-tagger")

    def send(
        self, model: str, folder: Path, names: Sequence[str], card: ModelPage, *, public: bool
    ) -> SentCommit:
        """Make the model repository hold these files and the card, and nothing else: one commit.

        Files that a push before this one got across are not sent again.

        :param public: False refuses a repository that is there and that everyone sees.
        :raises HubRefused: no such owner, no right to write there, the card is not valid, no hub.
        """
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete

        with _refusals(model):
            self._api.create_repo(model, private=not public, exist_ok=True)
            if not public and not self._api.model_info(model).private:
                raise HubRefused(
                    f"{model} is there and public; say --public to send it all the same"
                )
            there = set(self._api.list_repo_files(model)) - STAYS
            additions = [
                CommitOperationAdd(CARD, card.text.encode()),
                *(CommitOperationAdd(name, folder / name) for name in names),
            ]
            gone = [CommitOperationDelete(name) for name in sorted(there - {CARD, *names})]
            sent = self._api.create_commit(
                model, [*gone, *additions], commit_message=card.commit_message
            )
        return SentCommit(sent.oid, f"{self._api.endpoint}/{model}")

    def commit_of(self, model: str, revision: str | None) -> str:
        """The commit that a branch, a tag or a commit's beginning stands for now.

        :raises HubRefused: there is no such model or revision, or no right to see it.
        """
        with _refusals(model):
            commit: str | None = self._api.model_info(model, revision=revision).sha
        if commit is None:
            raise HubRefused(f"{model}: the hub names no commit, expected one")
        return commit

    def fetch(self, model: str, commit: str, names: Iterable[str], folder: Path) -> None:
        """Fetch these files; what an earlier try left in the folder is gone on with.

        :raises HubRefused: one of them is not there, or the hub cannot be reached.
        """
        with _refusals(model):
            for name in names:
                self._api.hf_hub_download(model, name, revision=commit, local_dir=folder)


@contextmanager
def _refusals(model: str) -> Iterator[None]:
    """The library's errors as ours."""
    from huggingface_hub.errors import HFValidationError

    try:
        yield
    except HubRefused:
        raise
    except HFValidationError as error:
        raise HubRefused(f"got {model!r}, expected OWNER/MODEL: {error}") from None
    except Exception as error:  # those of its HTTP library come through as they are
        reason = str(error.__cause__ or error).strip().splitlines()[-1:]
        raise HubRefused(
            f"{model}: {''.join(reason) or type(error).__name__}; the token is read from HF_TOKEN, "
            "the hub's address from HF_ENDPOINT; the same command goes on where this one ended"
        ) from error
