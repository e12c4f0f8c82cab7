"""What a transformer takes and gives, its weights aside: token ids of texts, the width of a vector.

transformers tells it once a model and machine; what it told is kept, so that a process which
computes without PyTorch need not import it: that took a second of every start.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from tagger.encoders.loading import (
    CHARACTERS_PER_TOKEN,
    filler_token,
    load_tokenizer,
    position_limit,
)
from tagger.errors import ReleaseDamaged
from tagger.persistence import load_json, save_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

KEPT = "interfaces"
"""Folder within the cache."""


@dataclass(frozen=True)
class ModelInterface:
    """See the module.

    :ivar width: of its states.
    :ivar vocabulary: how many token ids it knows.
    :ivar positions: tokens that it has positions for.
    :ivar filler: the id that padding is made of.
    :ivar tokenizer: as the library `tokenizers` writes it; empty where it is none of that
        library's, and transformers has to be asked each time.
    """

    width: int
    vocabulary: int
    positions: int
    filler: int
    tokenizer: str

    @classmethod
    def of(cls, folder: Path, cache: Path | None = None) -> Self:
        """Of the model in a checked folder.

        :param cache: keeps what transformers told; None asks it each time.
        """
        kept = None if cache is None else cache / KEPT / f"{_key(folder)}.json"
        if kept is not None and (known := cls._kept(kept)) is not None:
            return known
        told = cls._told(folder)
        if kept is not None:
            with suppress(OSError):  # a full disk or a folder to read only: asked again next time
                told._keep(kept)
        return told

    @classmethod
    def _kept(cls, file: Path) -> Self | None:
        """What `_keep` wrote; None: nothing, or not what was once written."""
        try:
            record = load_json(file)
            known = cls(**record["interface"])
        except (KeyError, TypeError, ReleaseDamaged):
            return None
        return known if known._digest() == record.get("sha256") else None

    def _keep(self, file: Path) -> None:
        """Write it aside first, so that a file of that name is whole."""
        file.parent.mkdir(parents=True, exist_ok=True)
        aside = file.with_suffix(f".{uuid4().hex}")
        try:
            save_json(aside, {"interface": asdict(self), "sha256": self._digest()})
            aside.replace(file)
        finally:
            aside.unlink(missing_ok=True)

    def _digest(self) -> str:
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    @classmethod
    def _told(cls, folder: Path) -> Self:
        from transformers import AutoConfig

        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
        tokenizer = load_tokenizer(folder)
        backend = tokenizer.backend_tokenizer if tokenizer.is_fast else None
        if backend is not None:
            backend.enable_truncation(
                1, direction=tokenizer.truncation_side
            )  # how long, readers say
            backend.no_padding()
        return cls(
            int(config.hidden_size),
            int(config.vocab_size),
            position_limit(config),
            filler_token(tokenizer),
            "" if backend is None else backend.to_str(),
        )

    def reader(self, max_tokens: int, folder: Path) -> TextReader:
        """Reads texts up to so many tokens.

        :param folder: of the model, for tokenizers that only transformers has.
        """
        if self.tokenizer:
            from tokenizers import Tokenizer

            tokenizer: Any = Tokenizer.from_str(self.tokenizer)
            tokenizer.enable_truncation(max_tokens, direction=tokenizer.truncation["direction"])
            return TextReader(
                max_tokens,
                self.filler,
                lambda texts: [each.ids for each in tokenizer.encode_batch(texts)],
            )
        slow = load_tokenizer(folder)
        return TextReader(
            max_tokens,
            self.filler,
            lambda texts: slow(
                texts,
                truncation=True,
                max_length=max_tokens,
                return_attention_mask=False,
                return_token_type_ids=False,
            )["input_ids"],
        )


@dataclass(frozen=True)
class TextReader:
    """Texts as token ids. Threads may share it.

    :ivar tokenise: ids of each text, cut to `max_tokens`.
    """

    max_tokens: int
    filler: int
    tokenise: Callable[[list[str]], Sequence[Sequence[int]]]

    def read(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, at least one a text, without padding."""
        characters = self.max_tokens * CHARACTERS_PER_TOKEN
        read = self.tokenise([text[:characters] for text in texts]) if texts else []
        # a decoder's tokenizer adds no special tokens: an empty text would have nothing to pool
        return [list(ids) or [self.filler] for ids in read]


def _key(folder: Path) -> str:
    """Digest of all that transformers reads for it."""
    digest = hashlib.sha256(json.dumps([version("transformers"), version("tokenizers")]).encode())
    for file in sorted(folder.iterdir()):
        if file.suffix in {".json", ".txt", ".model"}:
            digest.update(f"{file.name}\n".encode())
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:32]
