"""The one place where settings, database, models and GitHub are wired together."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

from bot.process.settings import bound_kernels

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx

    from bot.advising.advisor import Advisor
    from bot.evaluating.evaluation_workspace import EvaluationWorkspace
    from bot.github.access import Access
    from bot.github.client import GitHubClient
    from bot.jobs.delivery_queue import DeliveryLimits
    from bot.jobs.queues import JobSource
    from bot.learning.workspace import Workspace
    from bot.model_serving.release_archive import ReleaseArchive
    from bot.model_serving.release_cache import ReleaseCache, TaggingRelease
    from bot.operations.metrics import Metrics
    from bot.process.app_credentials import AppCredentials
    from bot.process.settings import Settings
    from bot.receiving.handler_context import HandlerContext
    from store.database import Store
    from tagger.benchmark.trial import ModelLocations
    from tagger.domain.strategy import Progress, Resources
    from tagger.encoders.encoder import Encoder
    from tagger.encoders.model_sources import ModelSource
    from tagger.prompting.language_model import LanguageModel
    from tagger.runtimes import Runtime
    from tagger.runtimes.runner import RunnerOpener
    from tagger.text.back_translation import BackTranslation


SECONDS = timedelta(seconds=5)


class Container:
    """What commands and the service work with. Making one does no I/O; each part opens on use.

    :ivar own_login: under which the bot acts on GitHub; None until GitHub has said so.
    :ivar token_login: whom the token belongs to, where it may not ask; None: GitHub is asked.
    :ivar threads: how many a model may compute with; None: as many as there are processors.
    :ivar longest_wait: for GitHub within a request; whoever works for others goes on with
        something else after seconds, a command for one repository may wait longer.

    :param clock: aware datetimes.
    :param transport: reaches GitHub without a network, for tests and the demo.
    :param open_release: loads a release's folder in place of `tagger.releases.release`, for tests.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        open_release: Callable[[Path], TaggingRelease] | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or partial(datetime.now, UTC)
        self.own_login: str | None = None
        self.token_login: str | None = None
        self.threads: int | None = None
        self.longest_wait = SECONDS
        self.transport = transport
        self._given_open_release = open_release
        self._loading = threading.Lock()
        self._encoders: dict[Runtime, Encoder] = {}

    @cached_property
    def store(self) -> Store:
        """The database; `store.migrate()` brings its tables up to date."""
        from store.database import Store

        # GitHub gives a webhook ten seconds: a 503 has to be out before that
        return Store(self.settings.database_url, patience_seconds=8.0)

    @cached_property
    def _encoder_source(self) -> ModelSource:
        from tagger.encoders.model_sources import DEFAULT_ENCODER, locate

        return locate(self.settings.encoder or DEFAULT_ENCODER)

    def resources(
        self,
        progress: Progress | None = None,
        *,
        tuning: bool = True,
        runtime: Runtime | None = None,
    ) -> Resources:
        """What strategies draw on; the encoder is loaded when first asked for.

        :param tuning: False leaves out the transformer to fine-tune, which may have to be
            fetched from the hub first.
        :param runtime: in place of the one that is set, or was chosen before.
        :raises ModelNotFound: a model that the settings name is nowhere.
        """
        from tagger.domain.strategy import Resources, silent

        encoder, set_ = self._encoder_source, self.settings.runtime
        runtime = runtime or (None if set_ == "auto" else set_)
        return Resources(
            encoder=partial(self._open_encoder, runtime),
            bert_model=to_tune(self.settings, encoder) if tuning else None,
            encoder_model=encoder.folder if tuning else None,
            zero_shot_model=to_entail(self.settings),
            device=self.settings.device,
            cache=self.settings.cache_folder,
            progress=progress or silent,
            runtime=runtime,
            runtimes=OwnRuntimes(self, encoder.digest, progress, tuning=tuning),
            schedule=self.settings.learning_rate_schedule,
            whole_words=self.settings.whole_word_masking,
            translation=self._translation,
            language_model=self._language_model,
            open_runner=self._open_runner,
        )

    @cached_property
    def _open_runner(self) -> RunnerOpener | None:
        """Opens networks on the model server that the settings name; None: they name none."""
        if self.settings.model_server is None:
            return None
        from bot.model_serving.remote_runner import ModelServerClient

        return ModelServerClient(self.settings.model_server).open

    @cached_property
    def _translation(self) -> Callable[[], BackTranslation] | None:
        """Opens the pair of models that the settings name, once; None: they name none."""
        if self.settings.translation_models is None:
            return None
        return cache(partial(open_translation, self.settings))

    @cached_property
    def _language_model(self) -> Callable[[], LanguageModel] | None:
        """Opens the causal language model that the settings name, once; None: they name none."""
        if self.settings.language_model is None and self.settings.language_model_url is None:
            return None
        return cache(partial(open_language_model, self.settings))

    def workspace(self, progress: Progress | None = None, *, tuning: bool = True) -> Workspace:
        """What a training draws on, from this moment on; see `resources`."""
        from bot.learning.workspace import Workspace

        resources = self.resources(progress, tuning=tuning)
        return Workspace(self.store, resources, self.archive, self.clock())

    def evaluation_workspace(
        self, repository: str, progress: Progress | None = None
    ) -> EvaluationWorkspace:
        """What an evaluation draws on; see `resources`."""
        from bot.evaluating.evaluation_workspace import EvaluationWorkspace

        resources = self.resources(progress)
        return EvaluationWorkspace(self.store, resources, repository, self.clock)

    def places(self) -> ModelLocations:
        """Where the models are, for a process that makes resources of its own.

        :raises ModelNotFound: a model that the settings name is nowhere.
        """
        from tagger.benchmark.trial import ModelLocations

        settings, encoder = self.settings, self._encoder_source
        return ModelLocations(
            encoder,
            bert_model=to_tune(settings, encoder),
            zero_shot_model=to_entail(settings),
            device=settings.device,
            cache=settings.cache_folder.resolve(),
        )

    @cached_property
    def metrics(self) -> Metrics:
        """What this process counts."""
        from bot.operations.metrics import Metrics

        return Metrics(timedelta(hours=self.settings.silent_hours))

    @cached_property
    def archive(self) -> ReleaseArchive:
        """Where releases are kept for all machines."""
        from bot.model_serving.release_archive import ReleaseArchive

        return ReleaseArchive(self.settings.releases_folder, self.settings.releases_url)

    @cached_property
    def cache(self) -> ReleaseCache:
        """The active releases, loaded on use."""
        from bot.model_serving.release_cache import ReleaseCache

        opened = self._given_open_release or self._open_release
        memory = self.settings.release_memory_mb * 2**20
        return ReleaseCache(self.store, opened, self.archive, memory)

    def context(self) -> HandlerContext:
        """What jobs on deliveries draw on; made inside the event loop that they run in."""
        from bot.receiving.handler_context import HandlerContext

        return HandlerContext(
            self.store,
            self.cache,
            self.metrics,
            self.access(),
            self.clock,
            advisor=self.advisor,
        )

    @cached_property
    def advisor(self) -> Advisor:
        """What is said of issues beside their labels; the encoder is loaded when needed."""
        from bot.advising.advisor import Advisor

        return Advisor(self.store, lambda: self.resources(tuning=False).encoder())

    def adopt(self, app: AppCredentials) -> None:
        """Speak as this App from now on; a context that is made already keeps to what it had."""
        self.settings = self.settings.with_app(app)
        self.own_login = f"{app.slug}[bot]"

    def jobs(self, pace: DeliveryLimits) -> JobSource:
        """How workers of this process come by their work: an engine on PostgreSQL, else none."""
        from bot.jobs.engine_jobs import EngineJobs
        from bot.jobs.polling_jobs import PollingJobs

        if self.store.is_sqlite:
            return PollingJobs(pace.poll)
        from store.engine.job_engine import JobEngine

        return EngineJobs(self.store, JobEngine(self.store.url), self.clock, pace.sweep)

    def access(self) -> Access | None:
        """`github()`, or None where the settings hold no credentials: then nothing is asked."""
        has_app = self.settings.github_app_id is not None
        return self.github() if has_app or self.settings.github_token else None

    def github(self) -> Access:
        """Access to GitHub with the credentials that the settings hold, or anonymously.

        Made inside the event loop that uses it.
        """
        from bot.github.access import AppAccess, TokenAccess
        from bot.github.auth import AppAuth, TokenAuth

        settings, url = self.settings, self.settings.github_api_url
        key = settings.private_key()
        if key is not None and settings.github_app_id is not None:
            app = AppAuth(settings.github_app_id, key, self.clock)
            return AppAccess(self.github_client(), app, url)
        token = settings.github_token
        auth = TokenAuth(token.get_secret_value()) if token else None
        return TokenAccess(self.github_client(auth), self.token_login)

    def github_client(self, auth: httpx.Auth | None = None) -> GitHubClient:
        """A client of its own pool of connections; made inside the event loop that uses it."""
        from bot.github.client import GitHubClient
        from bot.github.connection import RetryPolicy

        return GitHubClient.open(
            self.settings.github_api_url,
            auth=auth,
            transport=self.transport,
            api_version=self.settings.github_api_version,
            patience=RetryPolicy(
                longest_wait=self.longest_wait, in_all=4 * self.longest_wait, clock=self.clock
            ),
            observer=self.metrics.observe_github,
        )

    def bare_encoder(
        self, runtime: Runtime | None = None, opener: RunnerOpener | None = None
    ) -> Encoder:
        """The encoder newly loaded, without the store behind it.

        :param opener: of its network; None: on this machine.
        """
        from tagger.encoders.transformer import TransformerEncoder
        from tagger.runtimes.opening import open_runner
        from tagger.runtimes.threads import limit_threads

        if self.threads is not None:
            limit_threads(self.threads)
        settings = self.settings
        return TransformerEncoder(
            self._encoder_source,
            device=settings.device,
            runtime=runtime,
            cache=settings.cache_folder,
            opener=opener or open_runner,
        )

    def _open_encoder(self, runtime: Runtime | None) -> Encoder:
        """One encoder a runtime, which all releases of that runtime share."""
        from tagger.encoders.encoder import CachedEncoder
        from tagger.runtimes.devices import usual_runtime

        name = runtime or usual_runtime(self.settings.device)
        with self._loading:  # two threads that need it at once load it once
            if name not in self._encoders:
                encoder = CachedEncoder(
                    self.bare_encoder(name, self._open_runner), self.store.vectors
                )
                self._encoders[name] = encoder
            return self._encoders[name]

    def _open_release(self, folder: Path) -> TaggingRelease:
        from tagger.releases.release import Release

        return Release.open(folder, self.resources(tuning=False))

    def close(self) -> None:
        """Close what was opened."""
        if "store" in self.__dict__:
            self.store.close()


class OwnRuntimes:
    """An installation's `tagger.runtimes.choice.Runtimes`."""

    def __init__(
        self, container: Container, model: str, progress: Progress | None, *, tuning: bool
    ) -> None:
        self.model = model
        self.bare_encoder = container.bare_encoder
        self._resources = partial(container.resources, progress, tuning=tuning)

    def under(self, runtime: Runtime) -> Resources:
        return self._resources(runtime=runtime)


def build(settings: Settings) -> Container:
    """Wire one installation; nothing is opened yet."""
    bound_kernels()
    return Container(settings)


def open_language_model(settings: Settings) -> LanguageModel:
    """The server where an address is set, and nothing leaves this machine where none is.

    :raises ModelNotFound: the model that was named is nowhere.
    """
    if settings.language_model_url is not None:
        from bot.model_serving.completion_server import CompletionServer

        key = settings.language_model_key
        return CompletionServer(
            settings.language_model_url,
            model=settings.language_model or "",
            key=key.get_secret_value() if key else None,
        )
    from tagger.encoders.model_sources import locate
    from tagger.prompting.causal_model import CausalModel

    return CausalModel(locate(settings.language_model or "").folder, device=settings.device)


def open_translation(settings: Settings) -> BackTranslation:
    """The two models that were named, there and back.

    :raises ModelNotFound: one of them is nowhere.
    """
    from tagger.encoders.model_sources import locate
    from tagger.runtimes.devices import choose_device
    from tagger.text.back_translation import BackTranslation

    there, back = (name.strip() for name in (settings.translation_models or "").split(","))
    device = choose_device(settings.device)
    return BackTranslation(locate(there).folder, locate(back).folder, device)


def to_tune(settings: Settings, encoder: ModelSource) -> Path | None:
    """The transformer to fine-tune: as set, the default where it can be had, else the encoder's."""
    from tagger.encoders.model_sources import DEFAULT_BERT

    return _folder(settings.bert_model, DEFAULT_BERT) or encoder.folder


def to_entail(settings: Settings) -> Path | None:
    """The zero-shot model: as set, the default where it can be had, else None."""
    from tagger.encoders.model_sources import DEFAULT_ZERO_SHOT

    return _folder(settings.zero_shot_model, DEFAULT_ZERO_SHOT)


def _folder(name: str | None, default: str) -> Path | None:
    """Of the model that was asked for, or of the default where this machine can have it.

    :raises ModelNotFound: the model that was asked for is nowhere.
    """
    from tagger.encoders.model_sources import locate
    from tagger.errors import ModelNotFound

    if name:
        return locate(name).folder
    try:
        return locate(default).folder
    except ModelNotFound:
        return None
