"""What the doctor says of models that are asked only where they were named."""

from __future__ import annotations

from bot.operations.doctor import _named_models
from bot.process.settings import load_settings


def test_nothing_is_said_where_none_was_named(tmp_path) -> None:
    assert list(_named_models(load_settings(data_dir=tmp_path))) == []


def test_an_address_is_told_with_what_goes_there(tmp_path) -> None:
    url = "http://127.0.0.1:8080/v1"
    [finding] = _named_models(load_settings(data_dir=tmp_path, language_model_url=url))
    assert finding.verdict == "note"
    assert url in finding.found


def test_models_that_are_nowhere_are_wrong_each_by_itself(tmp_path) -> None:
    settings = load_settings(
        data_dir=tmp_path, language_model=str(tmp_path), translation_models=f"{tmp_path},{tmp_path}"
    )
    assert [finding.verdict for finding in _named_models(settings)] == ["wrong"] * 3
