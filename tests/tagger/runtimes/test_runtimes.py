"""Every runtime computes the same network, row by row the same in any company, or is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from tiny_label_models import save_nli

from tagger.encoders.loading import load, load_body
from tagger.encoders.model_sources import locate
from tagger.encoders.sentence_model import SentenceModel
from tagger.encoders.transformer import TransformerEncoder
from tagger.errors import ModelRefused, ReleaseDamaged
from tagger.label_semantics.entailment import Entailment
from tagger.runtimes import RUNTIMES, Runtime, conversion, converted_files, onnx_runner
from tagger.runtimes.devices import sums_overflow_in_8_bits
from tagger.runtimes.opening import open_runner
from tagger.runtimes.runner import Network, run_rows
from tagger.training.classifier import TextClassifier
from tagger.training.tokens import TokenReader
from tagger.training.tuned_model import TunedModel
from tagger.training.tuned_weights import FILES, WeightsOnDisk

if TYPE_CHECKING:
    from pathlib import Path

    from tagger.domain.strategy import Resources

TEXTS = (
    "the editor crashes when i save a file",
    "slow",
    "",
    "the manual has a typo in the first chapter and the example fails with an error " * 3,
    "search is slow on a big file",
)
CPU = torch.device("cpu")
EXACT = {"torch", "onnx"}
STATIC = "onnx-int8-static"
"""Its scales were measured on other texts, so that it may be further off."""


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Converted models of this file's tests."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module", params=RUNTIMES)
def runtime(request: pytest.FixtureRequest) -> Runtime:
    return request.param


@pytest.fixture(scope="module")
def encoder(bert_folder: Path, runtime: Runtime, cache: Path) -> TransformerEncoder:
    return TransformerEncoder(locate(str(bert_folder)), device="cpu", runtime=runtime, cache=cache)


def network(folder: Path, digest: str = "tiny") -> Network:
    return Network(digest, lambda dtype: SentenceModel(load_body(folder, dtype)), 100)


def test_vectors_are_those_of_pytorch(
    encoder: TransformerEncoder, transformer_encoder: TransformerEncoder
) -> None:
    expected = transformer_encoder.encode(TEXTS)
    found = encoder.encode(TEXTS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    similarity = (found * expected).sum(axis=1)
    least = 0.96 if encoder.runtime == STATIC else 0.98
    assert similarity.min() > (0.99999 if encoder.runtime in EXACT else least)


def test_many_rows_side_by_side_give_what_each_gives_alone(
    encoder: TransformerEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagger.runtimes.onnx_runner.threads", lambda: 3)
    texts = [f"{text} {turn}" for turn in range(onnx_runner.SIDE_BY_SIDE_FROM) for text in TEXTS]
    together = encoder.encode(texts)
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    if "onnx" in encoder.runtime:
        np.testing.assert_array_equal(together, alone)
    np.testing.assert_allclose(together, alone, atol=0.02)


def test_a_vector_is_the_same_in_any_company(encoder: TransformerEncoder) -> None:
    together = encoder.encode(TEXTS)
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert encoder.encode([]).shape == (0, encoder.width)


def test_identities_share_the_space_and_no_runtime_shares_one(bert_folder: Path, cache: Path):
    source = locate(str(bert_folder))
    found = [
        TransformerEncoder(source, device="cpu", runtime=one, cache=cache).identity
        for one in RUNTIMES
    ]
    assert len(set(found)) == len(RUNTIMES)
    assert len({one.partition(":")[0] for one in found}) == 1


def test_entailment_judges_alike(runtime: Runtime, cache: Path, tmp_path: Path) -> None:
    folder = save_nli(tmp_path)
    said = ("This issue is about bug.", "docs")
    expected = Entailment(folder, runtime="torch").odds(TEXTS, said)
    found = Entailment(folder, runtime=runtime, cache=cache).odds(TEXTS, said)
    error = np.linalg.norm(found - expected) / np.linalg.norm(expected)
    assert error < (1e-4 if runtime in EXACT else 0.1)


def tuned(folder: Path, given: Resources) -> TunedModel:
    tokenizer, body = load(folder, torch.float32, CPU)
    classifier = TextClassifier(body, 3)
    rng = np.random.default_rng(0)
    classifier.set_head(
        rng.normal(size=(3, 32)).astype(np.float32), rng.normal(size=3).astype(np.float32)
    )
    return TunedModel.of(TokenReader(tokenizer, 32), classifier, given)


def test_a_tuned_model_scores_the_same_after_it_was_saved(
    runtime: Runtime, cache: Path, bert_folder: Path, tmp_path: Path, resources: Resources
) -> None:
    given = replace(resources, runtime=runtime, cache=cache, device="cpu")
    exact = tuned(bert_folder, replace(given, runtime="torch"))
    made = tuned(bert_folder, given)
    (tmp_path / "model").mkdir()
    made.save(tmp_path / "model")
    restored = TunedModel.restore(tmp_path / "model", given)
    np.testing.assert_array_equal(restored.score(TEXTS), made.score(TEXTS))
    most = 0.1 if runtime == STATIC else 0.05
    assert np.abs(restored.score(TEXTS) - exact.score(TEXTS)).max() < most
    assert restored.n_labels == 3
    (tmp_path / "again").mkdir()
    restored.save(tmp_path / "again")
    for name in FILES:
        written = (tmp_path / "model" / name).read_bytes()
        assert (tmp_path / "again" / name).read_bytes() == written


def test_a_restored_model_is_built_when_it_is_first_asked_and_once(
    bert_folder: Path, tmp_path: Path, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = replace(resources, device="cpu")
    tuned(bert_folder, given).save(tmp_path)
    built = []
    build = WeightsOnDisk.build

    def counted(weights: WeightsOnDisk, dtype: torch.dtype) -> TextClassifier:
        built.append(dtype)
        return build(weights, dtype)

    monkeypatch.setattr(WeightsOnDisk, "build", counted)
    restored = TunedModel.restore(tmp_path, given)
    assert not built
    restored.score(TEXTS)
    restored.score(TEXTS)
    assert len(built) == 1


def test_a_converted_copy_is_kept_of_what_will_be_opened_again(
    bert_folder: Path, tmp_path: Path, resources: Resources
) -> None:
    cache = tmp_path / "cache"
    given = replace(resources, runtime="onnx-int8", cache=cache, device="cpu")
    passing = tuned(bert_folder, given)
    passing.score(TEXTS)
    assert not cache.exists()
    passing.save(tmp_path)
    TunedModel.restore(tmp_path, given).score(TEXTS)
    assert list(cache.rglob("*.onnx"))


def test_weights_that_were_cut_short_are_refused_before_they_are_needed(
    bert_folder: Path, tmp_path: Path, resources: Resources
) -> None:
    given = replace(resources, device="cpu")
    tuned(bert_folder, given).save(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(ReleaseDamaged, match=r"model\.safetensors"):
        TunedModel.restore(tmp_path, given)


def test_weights_that_change_after_they_were_opened_are_refused(
    bert_folder: Path, tmp_path: Path, resources: Resources
) -> None:
    given = replace(resources, device="cpu")
    tuned(bert_folder, given).save(tmp_path)
    restored = TunedModel.restore(tmp_path, given)
    flip_last_byte(tmp_path / "model.safetensors")
    with pytest.raises(ReleaseDamaged, match="has changed since"):
        restored.score(TEXTS)


def flip_last_byte(file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))


def test_rows_of_very_different_length_keep_their_order(bert_folder: Path) -> None:
    rows = [[5] * 40, [6], [7] * 17, [8] * 3]
    runner = open_runner(network(bert_folder), "torch-int8", "cpu")
    together = run_rows(runner, rows, 32)
    np.testing.assert_allclose(together[2], run_rows(runner, [rows[2]], 32)[0], atol=1e-6)


def bert(**sizes: int) -> torch.nn.Module:
    from transformers import BertConfig, BertModel

    usual = {"num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    return BertModel(BertConfig(**(usual | sizes)))


class TestConversion:
    def test_happens_once(
        self, bert_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = converted_files.converted(network(bert_folder), "onnx-int8", tmp_path)
        assert 0 < converted_files.parity(made) < 0.35
        assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", ".onnx"]

        def never(*_: Any) -> None:
            raise AssertionError("converted again")

        monkeypatch.setattr(conversion, "convert", never)
        assert converted_files.converted(network(bert_folder), "onnx-int8", tmp_path) == made
        with pytest.raises(AssertionError, match="converted again"):
            converted_files.converted(network(bert_folder, "other"), "onnx-int8", tmp_path)

    def test_a_copy_with_one_byte_flipped_is_made_anew(
        self, bert_folder: Path, tmp_path: Path
    ) -> None:
        made = converted_files.converted(network(bert_folder), "onnx", tmp_path)
        whole = made.read_bytes()
        flip_last_byte(made)
        assert converted_files.converted(network(bert_folder), "onnx", tmp_path) == made
        assert made.read_bytes() == whole

    def test_in_eight_bits_it_is_a_quarter(self, tmp_path: Path) -> None:
        def build(_: torch.dtype) -> SentenceModel:
            with torch.random.fork_rng():
                torch.manual_seed(0)
                return SentenceModel(bert(vocab_size=2000, hidden_size=128).eval())

        wide = Network("wide", build, 2000)
        whole = converted_files.converted(wide, "onnx", tmp_path).stat().st_size
        assert converted_files.converted(wide, "onnx-int8", tmp_path).stat().st_size < 0.4 * whole

    def test_a_copy_that_computes_something_else_is_refused(self, tmp_path: Path) -> None:
        class Forgetful(torch.nn.Module):
            """Adds the number of tokens, which tracing turns into a constant."""

            def __init__(self) -> None:
                super().__init__()
                self.body = torch.nn.Embedding(100, 4)

            def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
                return self.body(ids).sum(dim=1) * mask.sum() + float(int(ids.shape[1])) * 100

        with pytest.raises(ModelRefused, match="off by") as refused:
            converted_files.converted(Network("f", lambda _: Forgetful(), 100), "onnx", tmp_path)
        assert "ISSUE_TAGGER_RUNTIME" in str(refused.value)
        assert list(tmp_path.iterdir()) == []

    def test_what_cannot_be_exported_is_refused(self, tmp_path: Path) -> None:
        class Odd(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.body = torch.nn.Identity()

            def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
                return torch.special.i1(ids.float()) + mask

        with pytest.raises(ModelRefused, match="cannot be run with onnx"):
            converted_files.converted(Network("odd", lambda _: Odd(), 100), "onnx", tmp_path)


def test_an_unknown_runtime_is_named(bert_folder: Path) -> None:
    with pytest.raises(ValueError, match="torch-bf16"):
        open_runner(network(bert_folder), "tensorrt", "cpu")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("machine", "flags", "overflow"),
    [
        ("x86_64", "fpu sse2 avx2", True),
        ("x86_64", "fpu avx2 avx512_vnni", False),
        ("x86_64", "fpu avx2 avx_vnni", False),
        ("AMD64", "avx2", True),
        ("aarch64", "asimd", False),
        ("", "", False),
    ],
)
def test_weights_have_seven_bits_where_eight_overflow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, machine: str, flags: str, overflow: bool
) -> None:
    monkeypatch.setattr("platform.machine", lambda: machine)
    said = tmp_path / "cpuinfo"
    said.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t: avx512_vnni\n")
    monkeypatch.setattr("tagger.runtimes.devices.PROCESSOR", said)
    assert sums_overflow_in_8_bits() is overflow
    monkeypatch.setattr("tagger.runtimes.devices.PROCESSOR", tmp_path / "none")
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: dict.fromkeys(flags.split(), True))
    assert sums_overflow_in_8_bits() is overflow
