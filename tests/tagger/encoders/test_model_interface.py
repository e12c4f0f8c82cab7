"""What transformers tells of a model is asked for once, and read as it reads it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tagger.encoders.loading import load_tokenizer
from tagger.encoders.model_interface import KEPT, ModelInterface

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = ["slow search", "", "the editor crashes when i save a file " * 20, "检索很慢"]


@pytest.mark.parametrize("limit", [4, 24])
def test_reads_as_transformers_does(bert_folder: Path, tmp_path: Path, limit: int) -> None:
    theirs = load_tokenizer(bert_folder)(TEXTS, truncation=True, max_length=limit)["input_ids"]
    for _ in range(2):  # told, then kept
        interface = ModelInterface.of(bert_folder, tmp_path)
        assert interface.reader(limit, bert_folder).read(TEXTS) == theirs
    assert interface.reader(limit, bert_folder).read([]) == []
    assert (interface.width, interface.positions, interface.filler) == (32, 96, 0)


def test_is_told_once_a_folder(
    bert_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = ModelInterface.of(bert_folder, tmp_path)
    monkeypatch.setattr("transformers.AutoConfig.from_pretrained", None)  # is not asked again
    assert ModelInterface.of(bert_folder, tmp_path) == told


@pytest.mark.parametrize("damage", ["{", '{"width": 3}', "[]", "one byte"])
def test_what_is_damaged_is_told_anew(bert_folder: Path, tmp_path: Path, damage: str) -> None:
    told = ModelInterface.of(bert_folder, tmp_path)
    [kept] = (tmp_path / KEPT).iterdir()
    whole = kept.read_text("utf-8")
    kept.write_text(whole.replace("crash", "crasj", 1) if damage == "one byte" else damage)
    assert ModelInterface.of(bert_folder, tmp_path) == told
    assert [path.read_text("utf-8") for path in (tmp_path / KEPT).iterdir()] == [whole]


def test_a_cache_that_cannot_be_written_to_keeps_nothing(bert_folder: Path, tmp_path: Path) -> None:
    (tmp_path / KEPT).write_text("a file where the folder would be")
    assert ModelInterface.of(bert_folder, tmp_path) == ModelInterface.of(bert_folder)


def test_a_text_loses_the_end_that_the_tokenizer_says(bert_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "left"
    shutil.copytree(bert_folder, folder)
    config = json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
    left = json.dumps({**config, "truncation_side": "left"})
    (folder / "tokenizer_config.json").write_text(left, "utf-8")
    text = "the editor crashes when i save a file"
    expected = load_tokenizer(folder)([text], truncation=True, max_length=5)["input_ids"]
    assert expected != load_tokenizer(bert_folder)([text], truncation=True, max_length=5).input_ids
    assert ModelInterface.of(folder, tmp_path).reader(5, folder).read([text]) == expected


def test_a_tokenizer_of_transformers_alone_is_asked_each_time(
    bert_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = load_tokenizer(bert_folder)
    monkeypatch.setattr(type(theirs), "is_fast", False)
    interface = ModelInterface.of(bert_folder, tmp_path)
    assert interface.tokenizer == ""
    read = interface.reader(24, bert_folder).read(TEXTS)
    assert read == theirs(TEXTS, truncation=True, max_length=24)["input_ids"]
