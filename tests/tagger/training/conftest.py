"""Folders with tiny transformers, made once a session."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import tiny_bodies
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> Iterator[None]:
    """Matrices of 32 columns are multiplied faster by one thread than by threads that wait."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bodies.save(
        tiny_bodies.seeded(tiny_bodies.bert), tmp_path_factory.mktemp("bodies") / "bert"
    )


@pytest.fixture(scope="session", params=["bert", "mpnet", "distilbert", "gpt"])
def any_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    make = getattr(tiny_bodies, request.param)
    return tiny_bodies.save(
        tiny_bodies.seeded(make), tmp_path_factory.mktemp("bodies") / str(request.param)
    )
