"""The colorizer that a training starts from: its file, and its identity."""

from pathlib import Path

import pytest

from pipeline.colorizer.initial_weights import find_colorizer, identity
from sketch_models.errors import ConfigError


def test_a_file_and_its_folder_are_the_same_colorizer(tmp_path: Path) -> None:
    file = tmp_path / "colorizer.safetensors"
    file.write_bytes(b"weights")
    assert find_colorizer(file) == find_colorizer(str(tmp_path)) == file
    first = identity(str(file))
    assert first == identity(str(tmp_path))
    assert first.startswith("sha256:")
    file.write_bytes(b"others")
    assert identity(str(file)) != first


@pytest.mark.parametrize("name", ["none", "none/colorizer.safetensors", "."])
def test_a_missing_colorizer_is_one_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as refused:
        identity(name)
    assert str(refused.value).startswith(f"[train] initial_weights = {name}: there is no such file")
