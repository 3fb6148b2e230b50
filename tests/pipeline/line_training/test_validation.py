"""Pictures from elsewhere: how they are found, and what is wrong with a folder."""

from pathlib import Path

import pytest

from pipeline.line_training.validation import Pair, digest, find_pairs
from sketch_models.errors import ConfigError
from tests.pipeline.line_training.conftest import WriteFolder


def test_pairs_of_each_network_are_found_by_name(write_folder: WriteFolder) -> None:
    folder = write_folder(2, 1)
    (folder / "1.sketch.png").unlink()
    (folder / "notes.txt").touch()
    assert [pair.name for pair in find_pairs(folder, "tracer")] == ["1", "2"]
    (pair,) = find_pairs(folder, "inker")
    assert (pair.picture.name, pair.lines.name) == ("2.sketch.png", "2.lines.png")


@pytest.mark.parametrize(
    ("name", "group"),
    [("comic-12", "comic"), ("a-b-1", "a-b"), ("1", "1"), ("-1", "-1")],
)
def test_group_is_the_name_before_its_last_hyphen(name: str, group: str) -> None:
    assert Pair(name=name, picture=Path(), lines=Path()).group == group


def test_digest_depends_on_names_and_content_alone(write_folder: WriteFolder) -> None:
    folder = write_folder(1)
    before = digest(find_pairs(folder, "tracer"))
    moved = folder.rename(folder.with_name("moved"))
    assert digest(find_pairs(moved, "tracer")) == before
    assert digest(find_pairs(moved, "inker")) != before
    (moved / "1.lines.png").write_bytes(b"other")
    assert digest(find_pairs(moved, "tracer")) != before


def test_unusable_folder_is_one_sentence(write_folder: WriteFolder, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"\[lines\] validation = .*none: there is no such"):
        find_pairs(tmp_path / "none", "tracer")
    folder = write_folder(1)
    (folder / "1.color.png").unlink()
    (folder / "1.color.png").mkdir()
    with pytest.raises(ConfigError, match=r"1\.color\.png cannot be read \(Is a directory\)"):
        digest(find_pairs(folder, "tracer"))
    (folder / "1.lines.png").unlink()
    with pytest.raises(ConfigError, match=r"1\.color\.png has no 1\.lines\.png beside it"):
        find_pairs(folder, "tracer")
    (folder / "1.sketch.png").unlink()
    with pytest.raises(ConfigError, match=r"called NAME\.sketch\.png, as the inker's must be"):
        find_pairs(folder, "inker")
