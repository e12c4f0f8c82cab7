"""Who is scored unless somebody is named."""

from __future__ import annotations

from pathlib import Path

from bot.evaluating.evaluation_notes import strategies_to_score
from tagger.domain.strategy import Resources
from tagger.strategies import ON_REQUEST, REGISTRY


def _none() -> object:
    raise AssertionError("no model is asked for names")


def test_what_runs_on_request_is_scored_where_it_is_named() -> None:
    resources = Resources(encoder=_none, bert_model=Path("bert"))  # type: ignore[arg-type]
    usual, _ = strategies_to_score(None, resources)
    assert set(usual) == set(REGISTRY) - ON_REQUEST
    assert strategies_to_score(("ust", "pet"), resources)[0] == ("ust", "pet")


def test_without_a_transformer_what_tunes_one_is_left_out_with_a_note() -> None:
    names, [note] = strategies_to_score(None, Resources(encoder=_none))  # type: ignore[arg-type]
    assert not {"fine-tuned", "adapted"} & set(names)
    assert not ON_REQUEST & set(names)
    assert "ISSUE_TAGGER_BERT_MODEL" in note
