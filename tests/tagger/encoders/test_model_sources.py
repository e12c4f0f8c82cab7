"""Models are found in the order promised, and refused where they are not safe."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
from typing import TYPE_CHECKING, Any

import pytest
from tiny_hub import TinyHub, serving

from tagger.encoders import model_sources
from tagger.encoders.model_sources import DEFAULT_ENCODER, PUBLISHED_DIGESTS, locate, weights_digest
from tagger.errors import ModelNotFound, ModelRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty hub cache, and no network."""
    from huggingface_hub import constants

    folder = tmp_path / "hub"
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    model_sources._hub_problem.cache_clear()
    return folder


@pytest.fixture
def model(bert_folder: Path, tmp_path: Path) -> Path:
    """A model folder of the test's own."""
    return shutil.copytree(bert_folder, tmp_path / "model")


def in_cache(cache: Path, model: Path, repository: str, commit: str, branch: str = "main") -> Path:
    """Lay a model out as the hub's client keeps it."""
    home = cache / f"models--{repository.replace('/', '--')}"
    (home / "refs").mkdir(parents=True, exist_ok=True)
    (home / "refs" / branch).write_text(commit)
    return shutil.copytree(model, home / "snapshots" / commit)


def only_this_machine(resolve: Callable[..., Any]) -> Callable[..., Any]:
    """Name resolution that fails the test at once for any host but this one."""

    def guarded(host: Any, *more: Any, **named: Any) -> Any:
        assert host in {"127.0.0.1", b"127.0.0.1"}, f"asked for {host}"
        return resolve(host, *more, **named)

    return guarded


class TestFolder:
    def test_is_taken_as_it_is(self, model):
        source = locate(str(model))
        assert (source.folder, source.origin) == (model, "folder")
        whole = (model / "model.safetensors").read_bytes()
        assert source.digest == hashlib.sha256(whole).hexdigest()

    def test_changed_weights_change_the_digest(self, model):
        before = weights_digest(model)
        weights = model / "model.safetensors"
        weights.write_bytes(weights.read_bytes() + b" ")
        assert weights_digest(model) != before

    def test_shards_count_all(self, model):
        (model / "model.safetensors").rename(model / "model-00001-of-00002.safetensors")
        one = locate(str(model)).digest
        (model / "model-00002-of-00002.safetensors").write_bytes(b"more")
        assert locate(str(model)).digest != one

    def test_without_config_is_named(self, model):
        (model / "config.json").unlink()
        with pytest.raises(ModelNotFound, match=r"config\.json"):
            locate(str(model))

    @pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "weights.pkl"])
    def test_with_pickled_weights_only_is_refused(self, model, name):
        (model / "model.safetensors").rename(model / name)
        with pytest.raises(ModelRefused, match=name):
            locate(str(model))

    @pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
    def test_that_asks_for_remote_code_is_refused(self, model, file):
        fields = json.loads((model / file).read_text())
        fields["auto_map"] = {"AutoModel": "modeling_own.Own"}
        (model / file).write_text(json.dumps(fields))
        with pytest.raises(ModelRefused, match="auto_map"):
            locate(str(model))

    def test_with_a_broken_config_is_refused(self, model):
        (model / "config.json").write_text("{")
        with pytest.raises(ModelRefused, match="not JSON"):
            locate(str(model))


class TestHub:
    def test_cache_serves_what_its_main_points_to(self, cache, model):
        snapshot = in_cache(cache, model, "someone/tiny", COMMIT)
        source = locate("someone/tiny")
        assert (source.folder, source.origin) == (snapshot, "hub")

    def test_cache_serves_the_commit_asked_for(self, cache, model):
        in_cache(cache, model, "someone/tiny", "f" * 40)
        snapshot = in_cache(cache, model, "someone/tiny", COMMIT)
        in_cache(cache, model, "someone/other", "f" * 40)
        assert locate(f"someone/tiny@{COMMIT}").folder == snapshot
        with pytest.raises(ModelNotFound, match=COMMIT):
            locate(f"someone/other@{COMMIT}")

    def test_pinned_name_is_not_served_by_another_commit(self, cache, model, monkeypatch):
        monkeypatch.setitem(model_sources.PINNED, "someone/tiny", COMMIT)
        in_cache(cache, model, "someone/tiny", "f" * 40)
        with pytest.raises(ModelNotFound, match=COMMIT):
            locate("someone/tiny")

    def test_cached_model_with_another_digest_than_published_is_refused(
        self, cache, model, monkeypatch
    ):
        monkeypatch.setitem(model_sources.PUBLISHED_DIGESTS, "someone/tiny", "0" * 64)
        in_cache(cache, model, "someone/tiny", COMMIT)
        with pytest.raises(ModelRefused, match="0" * 64):
            locate("someone/tiny")

    def test_cached_model_goes_before_the_package(self, cache, model, monkeypatch):
        pinned = model_sources.PINNED[DEFAULT_ENCODER]
        monkeypatch.setitem(model_sources.PUBLISHED_DIGESTS, DEFAULT_ENCODER, weights_digest(model))
        snapshot = in_cache(cache, model, DEFAULT_ENCODER, pinned)
        assert locate("all-MiniLM-L6-v2").folder == snapshot

    def test_local_folder_goes_before_the_cache(self, cache, model, monkeypatch, tmp_path):
        in_cache(cache, model, "someone/tiny", COMMIT)
        shutil.copytree(model, tmp_path / "someone" / "tiny")
        monkeypatch.chdir(tmp_path)
        assert locate("someone/tiny").origin == "folder"


class TestDownload:
    @pytest.fixture
    def hub(self, model, monkeypatch) -> Iterator[TinyHub]:
        from huggingface_hub import constants

        (model / "pytorch_model.bin").write_bytes(b"pickled")
        (model / "modeling_own.py").write_text("raise SystemExit")
        with serving("someone/tiny", COMMIT, model) as hub:
            monkeypatch.setattr(socket, "getaddrinfo", only_this_machine(socket.getaddrinfo))
            monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
            monkeypatch.setattr(constants, "ENDPOINT", hub.url)
            template = constants.HUGGINGFACE_CO_URL_TEMPLATE
            path = template[template.index("/{repo_id}") :]
            monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", hub.url + path)
            yield hub

    @pytest.mark.parametrize("name", ["someone/tiny", f"someone/tiny@{COMMIT}"])
    def test_fetches_numbers_and_text_and_nothing_that_could_run(self, hub, model, name):
        source = locate(name)
        assert source.origin == "hub"
        assert source.folder.name == COMMIT
        assert source.digest == weights_digest(model)
        assert "model.safetensors" in hub.fetched
        assert {name.rpartition(".")[2] for name in hub.fetched} <= {"safetensors", "json", "txt"}

    def test_happens_once(self, hub):
        first = locate("someone/tiny")
        fetched = list(hub.fetched)
        assert locate("someone/tiny") == first
        assert hub.fetched == fetched

    def test_of_a_revision_that_is_not_there_says_so(self, hub):
        with pytest.raises(ModelNotFound, match="f" * 40):
            locate("someone/tiny@" + "f" * 40)

    def test_from_a_hub_out_of_reach_says_so_and_goes_on_to_the_package(self, hub, monkeypatch):
        from huggingface_hub import constants

        monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:1")
        with pytest.raises(ModelNotFound, match="out of reach"):
            locate("someone/other")
        assert locate("all-MiniLM-L6-v2").origin == "package"


class TestPackage:
    @pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", DEFAULT_ENCODER])
    def test_serves_the_encoder_where_no_hub_is(self, name):
        source = locate(name)
        assert source.origin == "package"
        assert source.digest == PUBLISHED_DIGESTS[DEFAULT_ENCODER]

    def test_with_other_weights_is_refused(self, monkeypatch):
        monkeypatch.setitem(model_sources.PUBLISHED_DIGESTS, DEFAULT_ENCODER, "0" * 64)
        with pytest.raises(ModelRefused, match="published"):
            locate(DEFAULT_ENCODER)

    def test_not_installed_is_one_of_the_places_searched(self, monkeypatch):
        monkeypatch.setitem(model_sources.PACKAGES, DEFAULT_ENCODER, "no_such_package")
        with pytest.raises(ModelNotFound, match="no-such-package is not installed"):
            locate(DEFAULT_ENCODER)


def test_a_model_found_nowhere_names_every_place_and_what_to_do():
    with pytest.raises(ModelNotFound) as caught:
        locate("someone/nothing")
    message = str(caught.value)
    for place in ("local folder someone/nothing", "hub cache", "hub: someone/nothing"):
        assert place in message
    assert "Give a folder" in message


@pytest.mark.parametrize("name", ["", "no such model", "a/b/c", "../secret"])
def test_a_name_that_is_none_is_not_found(name):
    with pytest.raises(ModelNotFound, match="was not found"):
        locate(name)


def test_every_model_that_is_a_default_is_pinned():
    defaults = {value for name, value in vars(model_sources).items() if name.startswith("DEFAULT_")}
    assert len(defaults) >= 3
    assert defaults == set(model_sources.PINNED)
    assert all(len(commit) == 40 for commit in model_sources.PINNED.values())
