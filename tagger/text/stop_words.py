"""English stop words: scikit-learn's list, without the second that importing it all takes."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

FILE = Path("feature_extraction") / "_stop_words.py"
"""The one file of scikit-learn that holds the list and imports nothing."""


@cache
def stop_words() -> frozenset[str]:
    """318 words, from the file that scikit-learn keeps them in, or else from scikit-learn."""
    package = find_spec("sklearn")
    for place in package.submodule_search_locations or () if package else ():
        spec = spec_from_file_location("issue_tagger_stop_words", Path(place) / FILE)
        if spec is not None and spec.loader is not None and (Path(place) / FILE).is_file():
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            if isinstance(words := getattr(module, "ENGLISH_STOP_WORDS", None), frozenset):
                return words
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return frozenset(ENGLISH_STOP_WORDS)
