"""The one place where settings, database, models and GitHub are wired together."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bot.github.access import Access
    from bot.settings import Settings
    from store.database import Store
    from tagger.encoder import Encoder
    from tagger.strategy import Progress, Resources


class Installation:
    """What commands and the service work with. Making one does no I/O; each part opens on use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def store(self) -> Store:
        """The database; `store.migrate()` brings its tables up to date."""
        from store.database import Store

        return Store(self.settings.database_url)

    @cached_property
    def _encoder(self) -> Encoder:
        from tagger.encoder import CachedEncoder
        from tagger.model_sources import DEFAULT_ENCODER, locate
        from tagger.transformer_encoder import TransformerEncoder

        source = locate(self.settings.encoder or DEFAULT_ENCODER)
        encoder = TransformerEncoder(source, device=self.settings.device)
        return CachedEncoder(encoder, self.store.vectors)

    def resources(self, progress: Progress | None = None) -> Resources:
        """What strategies draw on; the encoder is loaded when first asked for.

        :raises ModelNotFound: a model that the settings name is nowhere.
        """
        from tagger.strategy import Resources, silent

        return Resources(
            encoder=partial(getattr, self, "_encoder"),
            bert_model=_folder(self.settings.bert_model) or _default_bert(),
            zero_shot_model=_folder(self.settings.zero_shot_model),
            device=self.settings.device,
            cache=self.settings.cache_folder,
            progress=progress or silent,
        )

    def github(self) -> Access:
        """Access to GitHub with the credentials that the settings hold, or anonymously.

        Made inside the event loop that uses it.
        """
        from bot.github.access import AppAccess, TokenAccess
        from bot.github.auth import AppAuth, TokenAuth
        from bot.github.client import GitHubClient

        settings = self.settings
        key = settings.private_key()
        if key is not None and settings.github_app_id is not None:
            client = GitHubClient.open(settings.github_api_url)
            return AppAccess(client, AppAuth(settings.github_app_id, key), settings.github_api_url)
        token = settings.github_token
        auth = TokenAuth(token.get_secret_value()) if token else None
        return TokenAccess(GitHubClient.open(settings.github_api_url, auth=auth))

    def close(self) -> None:
        """Close what was opened."""
        if "store" in self.__dict__:
            self.store.close()


def build(settings: Settings) -> Installation:
    """Wire one installation; nothing is opened yet."""
    return Installation(settings)


def _folder(name: str | None) -> Path | None:
    from tagger.model_sources import locate

    return locate(name).folder if name else None


def _default_bert() -> Path | None:
    """The default transformer where this machine has it or reaches the hub; else None."""
    from tagger.errors import ModelNotFound
    from tagger.model_sources import DEFAULT_BERT, locate

    try:
        return locate(DEFAULT_BERT).folder
    except ModelNotFound:
        return None
