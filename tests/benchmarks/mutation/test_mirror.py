"""Which tests mirror a module."""

from pathlib import Path

import pytest

from benchmarks.mutation.mirror import mirrored_tests


@pytest.fixture
def top(tmp_path: Path) -> Path:
    folder = tmp_path / "tests" / "pipeline" / "pack"
    folder.mkdir(parents=True)
    (folder / "test_pack.py").write_text("from pipeline.pack import bounds, split\n")
    (folder / "test_bounds.py").write_text("from pipeline.pack.files import read\n")
    (folder.parent / "test_top.py").write_text("import pipeline.pack.shelf\n")
    return tmp_path


def test_file_of_the_same_name(top: Path) -> None:
    assert mirrored_tests("pipeline/pack/bounds.py", top=top) == [
        "tests/pipeline/pack/test_bounds.py"
    ]


def test_otherwise_those_of_the_folder_that_import_it(top: Path) -> None:
    pack, bounds = (f"tests/pipeline/pack/test_{name}.py" for name in ("pack", "bounds"))
    assert mirrored_tests("pipeline/pack/split.py", top=top) == [pack]
    assert mirrored_tests("pipeline/pack/files.py", top=top) == [bounds]


def test_otherwise_those_of_the_folder_above(top: Path) -> None:
    assert mirrored_tests("pipeline/pack/shelf.py", top=top) == ["tests/pipeline/test_top.py"]


def test_near_ones_are_those_beside_it_that_import_it(top: Path) -> None:
    assert mirrored_tests("pipeline/pack/bounds.py", near=True, top=top) == [
        "tests/pipeline/pack/test_bounds.py",
        "tests/pipeline/pack/test_pack.py",
    ]


def test_a_module_without_tests_is_one_sentence(top: Path) -> None:
    with pytest.raises(SystemExit, match=r"pipeline/pack/alone\.py: no test of its folder"):
        mirrored_tests("pipeline/pack/alone.py", top=top)
