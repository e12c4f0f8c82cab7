"""A process that tags with ONNX Runtime starts without the libraries that only training needs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tagger.domain.issue import IssueText
from tagger.encoders.model_sources import locate
from tagger.encoders.transformer import TransformerEncoder
from tagger.releases.release import Release, ReleaseOrder, train_release

if TYPE_CHECKING:
    from tagger.domain.issue import TrainingSet
    from tagger.domain.strategy import Resources

MEMBERS = ("zero-shot", "linear", "naive-bayes", "knn")
TAG = """
import sys
from pathlib import Path
from tagger.domain.issue import IssueText
from tagger.domain.strategy import Resources
from tagger.encoders.model_sources import locate
from tagger.encoders.transformer import TransformerEncoder
from tagger.releases.release import Release

release, model, cache = map(Path, sys.argv[1:])
encoder = TransformerEncoder(locate(str(model)), runtime="onnx", cache=cache)
opened = Release.open(release, Resources(encoder=lambda: encoder, cache=cache, runtime="onnx"))
[decided] = opened.tag([IssueText("the editor crashes when i save")])
print(*(f"{each.name} {each.score:.5f}" for each in decided), sep="\\n")
print("loaded", *sorted({"torch", "transformers", "sklearn", "pandas"} & set(sys.modules)))
"""


def test_a_release_tags_without_torch_transformers_or_scikit_learn(
    tmp_path: Path, resources: Resources, training_set: TrainingSet, bert_folder: Path
) -> None:
    cache = tmp_path / "cache"
    encoder = TransformerEncoder(locate(str(bert_folder)), runtime="onnx", cache=cache)
    cheap = replace(resources, encoder=lambda: encoder, zero_shot_model=None)
    order = ReleaseOrder("owner/name", tmp_path, datetime(2026, 1, 2, tzinfo=UTC))
    release = tmp_path / "owner/name" / train_release(order, training_set, cheap, MEMBERS).id

    done = subprocess.run(
        [sys.executable, "-c", TAG, str(release), str(bert_folder), str(cache)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    *decided, loaded = done.stdout.splitlines()
    assert loaded == "loaded"
    here = Release.open(release, cheap)
    [expected] = here.tag([IssueText("the editor crashes when i save")])
    assert decided == [f"{each.name} {each.score:.5f}" for each in expected]
