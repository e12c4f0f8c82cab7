"""What `make dist` builds: the same bytes twice, and a wheel that works on its own."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from shutil import which

import pytest

ROOT = Path(__file__).parents[1]
UV = which("uv") or str(Path(sys.executable).with_name("uv"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist; building fetches hatchling, so it needs the index."""
    if not Path(UV).exists():
        pytest.skip("uv is not installed: `make setup` does")
    return build(ROOT, tmp_path_factory.mktemp("dist"))


def build(source: Path, out: Path) -> Path:
    kind = ["--wheel"] if source.suffix == ".gz" else []
    made = subprocess.run(
        [UV, "build", "--quiet", *kind, "--out-dir", str(out), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode and "http" in made.stderr.lower():
        pytest.skip(f"the package index is out of reach: {made.stderr[-200:]}")
    assert made.returncode == 0, made.stderr
    return out


def digest_of(folder: Path, pattern: str) -> str:
    [file] = folder.glob(pattern)
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.slow
def test_built_twice_it_has_the_same_bytes(built: Path, tmp_path: Path) -> None:
    again = build(ROOT, tmp_path / "again")
    for pattern in ("*.whl", "*.tar.gz"):
        assert digest_of(built, pattern) == digest_of(again, pattern)
    [sdist] = built.glob("*.tar.gz")
    from_sdist = build(sdist, tmp_path / "from-sdist")
    assert digest_of(from_sdist, "*.whl") == digest_of(built, "*.whl")


@pytest.mark.slow
def test_an_index_would_take_it(built: Path) -> None:
    checked = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *built.glob("issue_tagger-*")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.count("PASSED") == 2


@pytest.mark.slow
def test_the_wheel_alone_runs_the_demonstration(built: Path, tmp_path: Path) -> None:
    """In an environment whose only files of ours are the wheel's, in another folder."""
    venv.create(tmp_path / "env", symlinks=True)
    python = tmp_path / "env" / "bin" / "python"
    site = tmp_path / "env" / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}"
    packages = site / "site-packages"
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    # What it depends on is here already; a path in a .pth file is searched after its own folder.
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"])
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    where = subprocess.run(
        [python, "-c", "import bot, migrations; print(bot.__file__, migrations.__path__)"],
        capture_output=True, text=True, check=True, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert where.stdout.count(str(packages)) == 2
    shown = subprocess.run(
        [python, "-m", "bot.cli", "demo"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "labels set:" in shown.stdout
