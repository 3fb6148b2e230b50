"""A training whose job is damaged is neither mixed up with another nor lost."""

import json
from pathlib import Path

import pytest

from sketch_models.errors import SengaError
from tasks.train_colorizer import _swap_training


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b"\xff", b"[" * 9999])
def test_damaged_job_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "0123456789ab"
    folder.mkdir()
    (folder / "colorizer.json").write_bytes(content)
    (folder / "colorizer.safetensors").write_text("weights")
    with pytest.raises(SengaError, match=r"colorizer\.json is damaged") as caught:
        _swap_training(folder, "a" * 64)
    assert "\n" not in str(caught.value)
    assert (folder / "colorizer.safetensors").read_text() == "weights"


def test_training_on_other_pictures_is_set_aside(tmp_path: Path) -> None:
    folder = tmp_path / "0123456789ab"
    folder.mkdir()
    (folder / "colorizer.json").write_text(json.dumps({"content": "b" * 64}))
    _swap_training(folder, "a" * 64)
    assert [path.name for path in tmp_path.iterdir()] == ["0123456789ab-bbbbbbbbbbbb"]
    _swap_training(folder, "b" * 64)
    assert [path.name for path in tmp_path.iterdir()] == ["0123456789ab"]
