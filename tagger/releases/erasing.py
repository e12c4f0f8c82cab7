"""Erasing issues from a release: titles, precedents, and words that only they used.

Trained numbers stay: weights of many issues together. What is literally an issue's goes: its title,
its vector and number among the neighbours, and the words of vocabularies that no other issue has.
Of the words nobody keeps more than digests, until the releases were searched for them.
"""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tagger.domain.issue import IssueText
from tagger.text.cleaning import FIRST, LATEST

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from pathlib import Path

    from tagger.releases.release import Manifest
    from tagger.releases.rewriting import Change


_TOKEN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w\w+")
"""As `tagger.text.bag_of_words` reads."""
_TELLING = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_][\w'-]*")
"""As `tagger.text.cleaning.words` reads."""
VOCABULARIES = {"words.json": "words", "terms.json": "terms"}
"""Files of words in the order of columns, and under which key they stand there."""
LABELLED = "examples.safetensors"
INDEX = "index.faiss"
SHOWN, SHOWN_TEXTS = "in-context.safetensors", "in-context.json"
"""Labelled issues that `in-context` shows to a language model, and their texts row by row."""


def words_in(text: str) -> Iterator[str]:
    """Everything that a vocabulary may hold of a text: words, and pairs of neighbours."""
    tokens = _TOKEN.findall(text.lower())
    yield from tokens
    yield from map(" ".join, pairwise(tokens))
    yield from _TELLING.findall(text.casefold())


def digests_of(texts: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Digests of the words of titles and bodies, as releases of any version read them."""
    words: set[str] = set()
    for title, body in set(texts):
        for version in range(FIRST, LATEST + 1):
            words.update(words_in(IssueText.of(title, body, version).full))
    return frozenset(map(digest, words))


def vectors_of(texts: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Keys under which vectors of titles and bodies are kept (see `content_key`)."""
    from tagger.encoders.encoder import content_key

    read = {
        IssueText.of(title, body, version).full
        for title, body in set(texts)
        for version in range(FIRST, LATEST + 1)
    }
    return tuple(map(content_key, sorted(read)))


def digest(word: str) -> str:
    """Sixteen hexadecimal digits that stand for a word."""
    return hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def words_to_erase(
    folders: Iterable[Path], digests: Collection[str], others: Iterable[str]
) -> frozenset[str]:
    """Words of the releases' vocabularies that have these digests and stand in no other text.

    :param others: the texts of all other issues; read only where there is something to look for.
    """
    words = {word for folder in folders for word in _vocabulary(folder) if digest(word) in digests}
    for text in others if words else ():
        words.difference_update(words_in(text))
        if not words:
            break
    return frozenset(words)


def without(
    folder: Path, target: Path, numbers: Collection[int], words: Collection[str]
) -> Manifest | None:
    """Write the release to `target`, without these issues and words; None: it has none of them.

    :raises ReleaseDamaged: it cannot be read.
    """
    from tagger.releases.rewriting import rewritten

    changes = dict(_changes(folder, numbers, words))
    if not changes:
        return None
    return rewritten(folder, target, changes)


def _changes(
    folder: Path, numbers: Collection[int], words: Collection[str]
) -> Iterator[tuple[str, Change]]:
    from tagger.releases.release import CHAIN, TITLES

    yield from _titles(folder, TITLES, numbers)
    for path in sorted((folder / CHAIN).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.name in VOCABULARIES:
            yield from _blanked(path, name, VOCABULARIES[path.name], words)
        elif path.name == LABELLED:
            yield from _fewer_neighbours(path, name, numbers)
        elif path.name == SHOWN:
            yield from _fewer_demonstrations(path, name, numbers)
    yield from _content(folder / CHAIN / "chain.json", f"{CHAIN}/chain.json", words)


def _titles(folder: Path, name: str, numbers: Collection[int]) -> Iterator[tuple[str, Change]]:
    from tagger.persistence import load_json

    titles = load_json(folder / name)
    left = {number: title for number, title in titles.items() if int(number) not in numbers}
    if left != titles:
        yield name, _json(left)


def _blanked(
    path: Path, name: str, key: str, words: Collection[str]
) -> Iterator[tuple[str, Change]]:
    """Each column stays in its place, under a name that no text has."""
    from tagger.persistence import load_json

    state = load_json(path)
    known = list(state.get(key, ()))
    left = [f"\x00{n}" if word in words else word for n, word in enumerate(known)]
    if left != known:
        yield name, _json({**state, key: left})


def _fewer_neighbours(
    path: Path, name: str, numbers: Collection[int]
) -> Iterator[tuple[str, Change]]:
    import numpy as np

    from tagger.encoders.nearest_neighbours import NeighbourIndex
    from tagger.persistence import load_arrays, save_arrays

    arrays = load_arrays(path, "numbers", "targets")
    staying = ~np.isin(arrays["numbers"], list(numbers))
    if staying.all():
        return
    rows = frozenset(np.flatnonzero(~staying).tolist())
    left = {**arrays, "numbers": arrays["numbers"][staying], "targets": arrays["targets"][staying]}
    index = NeighbourIndex.load(path.with_name(INDEX)).without(rows)
    yield name, lambda file: save_arrays(file, left)
    yield name.replace(LABELLED, INDEX), index.save


def _fewer_demonstrations(
    path: Path, name: str, numbers: Collection[int]
) -> Iterator[tuple[str, Change]]:
    import numpy as np

    from tagger.persistence import load_arrays, load_json, save_arrays

    arrays = load_arrays(path, "numbers", "targets", "vectors")
    staying = ~np.isin(arrays["numbers"], list(numbers))
    if staying.all():
        return
    left = {key: rows[staying] for key, rows in arrays.items()}
    record = load_json(path.with_name(SHOWN_TEXTS))
    texts = [record["texts"][row] for row in np.flatnonzero(staying)]
    yield name, lambda file: save_arrays(file, left)
    yield name.replace(SHOWN, SHOWN_TEXTS), _json({**record, "texts": texts})


def _content(path: Path, name: str, words: Collection[str]) -> Iterator[tuple[str, Change]]:
    from tagger.persistence import load_json

    state = load_json(path)
    content = state.get("content") or {}
    known = content.get("words") or ()
    left = [word for word in known if word not in words]
    if len(left) != len(known):
        yield name, _json({**state, "content": {**content, "words": left}})


def _vocabulary(folder: Path) -> Iterator[str]:
    from tagger.persistence import load_json

    for path in folder.rglob("*.json"):
        if path.name in VOCABULARIES:
            yield from load_json(path).get(VOCABULARIES[path.name], ())
        elif path.name == "chain.json":
            yield from (load_json(path).get("content") or {}).get("words") or ()


def _json(value: Any) -> Change:
    from tagger.persistence import save_json

    return lambda path: save_json(path, value)
