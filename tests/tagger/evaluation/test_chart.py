"""The chapter's chart is drawn from reports, as one picture that needs nothing else."""

import json
import runpy
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

SCRIPT = Path(__file__).parents[3] / "docs" / "benchmarks" / "chart.py"


def report(*strategies):
    return {
        "summary": [
            {
                "strategy": name,
                "slice": piece,
                "n_train": size,
                "micro_f1": 0.3 + size / 2000,
                "micro_f1_ci": [0.25, 0.4 + size / 2000],
                "macro_f1": 0.2,
                "macro_f1_ci": [0.1, 0.3],
            }
            for name in strategies
            for piece, size in (("0", 0), ("8", 8), ("all", 900))
        ]
    }


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    def draw(*reports):
        files = [tmp_path / f"{n}.json" for n in range(len(reports))]
        for file, content in zip(files, reports, strict=True):
            file.write_text(json.dumps(content))
        out = tmp_path / "images" / "chart.svg"
        arguments = [str(SCRIPT), *map(str, files), "--title", "a <b> & c", "--out", str(out)]
        monkeypatch.setattr(sys, "argv", arguments)
        runpy.run_path(str(SCRIPT), run_name="__main__")
        return out.read_text("utf-8")

    return draw


def test_both_figures_and_every_method_are_in_one_picture(drawn):
    text = drawn(report("chain", "knn", "naive-bayes"), report("SetFit", "knn"))
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    words = [node.text for node in root.iter(f"{space}text")]
    for expected in ("a <b> & c", "Micro F1", "Macro F1", "chain", "SetFit", "0", "8", "900"):
        assert expected in words
    assert words.count("knn") == 1  # of two reports that have it, the first one counts
    lines = [
        node
        for node in root.iter(f"{space}path")
        if (node.get("class") or "").startswith("line") and node.get("d", "").count("L") == 2
    ]
    assert len(lines) == 2 * 4
    assert sum("strong" in (node.get("class") or "") for node in lines) == 2
    assert "prefers-color-scheme: dark" in text
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
