"""The model server itself, in processes of its own, on a tiny encoder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from typing import TYPE_CHECKING

import httpx
import numpy as np
import pytest

from bot.demo.service import free_port
from bot.model_serving.remote_runner import ModelServerClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("litserve") is None, reason="LitServe is not installed: pip install litserve"
    ),
]

TEXTS = ["a crash", "the guide has a typo in it", "slow", "", "crash " * 40]


@pytest.fixture
def served(encoder_folder: Path, tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    port = free_port()
    environment = {
        **{key: value for key, value in os.environ.items() if "ISSUE_TAGGER" not in key},
        "ISSUE_TAGGER_ENCODER": str(encoder_folder),
        "ISSUE_TAGGER_DATA_DIR": str(tmp_path / "data"),
        "ISSUE_TAGGER_DEVICE": "cpu",
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
    }
    command = ["model-server", "--port", str(port), "--runtime", "torch", "--milliseconds", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", *command], env=environment, start_new_session=True
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, process)
        yield url, process
    finally:
        _end(process)


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 200
    while True:
        assert process.poll() is None
        assert time.monotonic() < deadline
        try:
            if httpx.get(f"{url}/health").status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.2)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.timeout(280)
def test_a_worker_gets_the_numbers_of_its_own_models_also_when_the_server_dies(
    served: tuple[str, subprocess.Popen[bytes]], encoder_folder: Path
) -> None:
    from tagger.encoders.model_sources import locate
    from tagger.encoders.transformer import TransformerEncoder

    url, process = served
    source = locate(str(encoder_folder))
    here = TransformerEncoder(source, device="cpu", runtime="torch")
    client = ModelServerClient(url)
    there = TransformerEncoder(source, device="cpu", runtime="torch", opener=client.open)
    assert there.identity == here.identity
    assert np.abs(there.encode(TEXTS) - here.encode(TEXTS)).max() < 1e-3
    assert not client.resting
    assert 'issue_tagger_model_requests_total{status="200"}' in httpx.get(f"{url}/metrics").text
    refused = httpx.post(f"{url}/run", json={"shape": [1, 1]}).json()
    assert "refused" in refused
    _end(process)
    assert np.abs(there.encode(TEXTS) - here.encode(TEXTS)).max() < 1e-3
    assert client.resting
