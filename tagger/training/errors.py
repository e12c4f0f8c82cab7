"""What training raises on purpose.

TaggerError
└── CannotAdapt     an objective that this model or this corpus does not allow
"""

from __future__ import annotations

from tagger.errors import TaggerError


class CannotAdapt(TaggerError):
    """No masks in the tokenizer, no pairs in the corpus: another objective may still do."""
