"""Results are done if they are newer than their settings and pictures; no two have one name."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.draw.results_folder import ResultsFolder, result_names
from pipeline.picture import PictureError
from sketch_models.errors import SengaError

SETTINGS = {"size": 0, "style": "original", "line_model": {"weights": "a"}}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(b"picture")
    return path


def opened(
    tmp_path: Path, settings: dict[str, object] = SETTINGS, *, overwrite: bool = False
) -> ResultsFolder:
    folder = ResultsFolder(tmp_path / "results")
    folder.open(settings, overwrite=overwrite)
    return folder


def make_newer(path: Path, than: Path) -> None:
    time = than.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(time, time))


def test_results_are_done_until_their_picture_changes(tmp_path: Path, picture: Path) -> None:
    results = [Path("sketches/a.png"), Path("lines/x/a.png")]
    folder = opened(tmp_path)
    assert not folder.is_done(picture, results)
    folder.write(results[0], b"1")
    assert not folder.is_done(picture, results)
    folder.write(results[1], b"2")
    assert folder.is_done(picture, results)
    assert opened(tmp_path).is_done(picture, results)
    make_newer(picture, folder.root / results[1])
    assert not folder.is_done(picture, results)


def test_overwriting_makes_older_results_count_as_not_done(tmp_path: Path, picture: Path) -> None:
    result = Path("lines/a.png")
    opened(tmp_path).write(result, b"1")
    os.utime(picture, ns=(0, 0))
    os.utime(tmp_path / "results" / result, ns=(0, 10**9))
    folder = opened(tmp_path, {**SETTINGS, "size": 64}, overwrite=True)
    assert not folder.is_done(picture, [result])
    # A run that was stopped is gone on with, not with the old results.
    assert not opened(tmp_path, {**SETTINGS, "size": 64}).is_done(picture, [result])
    folder.write(result, b"2")
    assert folder.is_done(picture, [result])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"size": 64}, "--size was 0, now 64"),
        ({"style": "pured"}, "--style was original, now pured"),
        ({"line_model": {"weights": "b"}}, "the weights or options of the line model changed"),
        ({"sketch": "xdog"}, "--sketch was not given, now xdog"),
    ],
)
def test_other_settings_are_refused(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    opened(tmp_path)
    with pytest.raises(SengaError, match=f"{message}. Choose another folder, or .*--overwrite"):
        opened(tmp_path, {**SETTINGS, **change})
    opened(tmp_path, {**SETTINGS, **change}, overwrite=True)
    opened(tmp_path, {**SETTINGS, **change})


def test_settings_that_are_gone_are_refused(tmp_path: Path) -> None:
    opened(tmp_path)
    with pytest.raises(SengaError, match="--style was original, now not given"):
        opened(tmp_path, {key: value for key, value in SETTINGS.items() if key != "style"})


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"settings": 1, "since": 2}', "\udcff"])
def test_damaged_settings_are_refused(tmp_path: Path, content: str) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "settings.json").write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(SengaError, match=r"settings.json cannot be read.*--overwrite"):
        opened(tmp_path)
    opened(tmp_path, overwrite=True)


def test_errors_are_a_table(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    table = folder.write_errors([("a, b.png", "empty", "0 bytes"), ("\udcff.png", "broken", "")])
    assert table == folder.root / "errors.csv"
    rows = table.read_text(encoding="utf-8").splitlines()
    assert rows == ["picture,code,detail", '"a, b.png",empty,0 bytes', "\\udcff.png,broken,"]
    assert folder.write_errors([]) is None
    assert not table.exists()


def test_name_that_cannot_be_written_is_an_error_of_its_picture(tmp_path: Path) -> None:
    folder = opened(tmp_path)
    folder.write(Path("lines/a"), b"file")
    for name in ("lines/a/b.png", f"lines/{'x' * 250}.png"):
        with pytest.raises(PictureError, match="bad_name"):
            folder.write(Path(name), b"")


def test_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "results").write_bytes(b"a file")
    with pytest.raises(SengaError, match="results cannot be written .*choose another folder"):
        opened(tmp_path, overwrite=True)


def test_names_keep_the_folders() -> None:
    pictures = [Path("a.jpg"), Path("x/a.jpg"), Path("x/b.tar.png"), Path("x/y/c.gif")]
    names = [Path("a.png"), Path("x/a.png"), Path("x/b.tar.png"), Path("x/y/c.png")]
    assert result_names(pictures) == names


def test_files_that_differ_only_in_suffix_keep_it() -> None:
    pictures = [Path("a.jpg"), Path("a.png"), Path("A.gif"), Path("b.png")]
    names = [Path("a.jpg.png"), Path("a.png.png"), Path("A.gif.png"), Path("b.png")]
    assert result_names(pictures) == names
    assert result_names(pictures[::-1]) == names[::-1]


def test_name_of_a_folder_is_not_that_of_a_file() -> None:
    pictures = [Path("a.jpg"), Path("a.png/b.jpg")]
    assert result_names(pictures) == [Path("a.jpg.png"), Path("a.png/b.png")]


@given(
    st.lists(
        st.builds(
            lambda folder, stem, suffixes: Path(folder) / f"{stem}{''.join(suffixes)}",
            st.sampled_from(["", "x", "X/y"]),
            st.sampled_from(["a", "A", "b"]),
            st.lists(st.sampled_from([".png", ".jpg", ".PNG"]), min_size=1, max_size=3),
        ),
        unique_by=lambda path: str(path).casefold(),
        max_size=12,
    )
)
def test_no_two_results_have_one_name(pictures: list[Path]) -> None:
    names = [str(name).casefold() for name in result_names(pictures)]
    assert len(set(names)) == len(pictures)
