"""`verify` reports every fault of a packed file in one sentence."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest

from pipeline.pack.dataset_file import Chunk, DatasetWriter, Row, content_digest, picture_names
from pipeline.pack.extras import EXTRAS, MAX_COLORS, extra_columns, extra_pictures
from pipeline.pack.parts_writer import PartsWriter
from pipeline.pack.verify import main
from pipeline.pack.verify_files import verify
from sketch_models.errors import SengaError
from sketch_models.styles import STYLES

SIZE = 32
BOX = (4, 0, 28, 32)


def write(
    path: Path,
    ids: list[int],
    *,
    sketches: bool = False,
    lines: Sequence[str] = ("",),
    extras: Sequence[str] = (),
    rows_per_file: int = 0,
) -> Path:
    """Write a valid file with a picture per id; or an index, and its parts."""
    rng = np.random.default_rng(0)
    about = dict.fromkeys(["dataset", "split", "fingerprint", "created"], "x") | {"config": "{}"}
    names = picture_names(lines, [""] if sketches else [])
    columns = extra_columns({*extras} - {"reference"})
    writer: Callable[..., DatasetWriter] = (
        partial(PartsWriter, rows_per_file=rows_per_file) if rows_per_file else DatasetWriter
    )
    with writer(
        path,
        len(ids),
        size=SIZE,
        names=[*names, *extra_pictures(extras)],
        compression="gzip",
        attributes=about,
        extra_columns=columns,
    ) as file:
        for post_id in ids:
            pictures = {}
            for name in names:
                tail = (3,) if name == "color" else ()
                picture = np.full((SIZE, SIZE, *tail), 255, np.uint8)
                picture[:, 4:28] = rng.integers(0, 255, (SIZE, 24, *tail))
                pictures[name] = Chunk.compress(picture, "gzip")
            for name, picture in extras_of_picture().items():
                pictures[name] = Chunk.compress(picture, "gzip")
            row = Row(
                id=post_id,
                box=BOX,
                tags="1girl 猫",
                sha256="0" * 64,
                pictures=pictures,
                extra_columns={
                    name: "ab" if each.kind == "S" else 2 for name, each in columns.items()
                },
            )
            file.append(row)
        if "reference" in extras:
            others = [[*ids[:row], *ids[row + 1 :]][:8] for row in range(len(ids))]
            rows = [np.array([*some, *[-1] * (8 - len(some))]) for some in others]
            file.add_column("reference", np.dtype("<i8"), rows)
    return path


def extras_of_picture() -> dict[str, np.ndarray]:
    """Return two areas and their colours, the first in the foreground."""
    areas = np.zeros((SIZE, SIZE), np.uint16)
    areas[:, 4:28], areas[:9, 4:28] = 1, 2
    colors = np.zeros((MAX_COLORS, 3), np.uint8)
    colors[:3] = [[255, 255, 255], [9, 99, 200], [70, 7, 0]]
    mask = np.where(areas == 1, np.uint8(255), np.uint8(0))
    return {"flat": areas, "flat_colors": colors, "mask": mask}


@pytest.mark.parametrize("sketches", [False, True])
@pytest.mark.parametrize("ids", [[], [7], list(range(-3, 300, 3))])
def test_valid_file_is_summarized(tmp_path: Path, ids: list[int], sketches: bool) -> None:
    (summary,) = verify([write(tmp_path / "t.h5", ids, sketches=sketches)])
    assert (summary.pictures, summary.size, summary.sketches) == (len(ids), SIZE, sketches)
    assert summary.ids.tolist() == ids
    with h5py.File(tmp_path / "t.h5") as file:
        assert summary.content == content_digest(file)


@pytest.mark.parametrize("lines", [["_512"], ["_512", "_xdog_768"]])
def test_missing_variant_is_a_fault_of_the_layout(tmp_path: Path, lines: list[str]) -> None:
    path = write(tmp_path / "t.h5", [3, 4], lines=lines)
    (summary,) = verify([path])
    assert summary.pictures == 2
    with h5py.File(path, "r+") as file:
        del file["line/pured_512"]
    with pytest.raises(SengaError, match="its datasets differ in line/pured_512"):
        verify([path])


def replace(name: str, **changes: object) -> Callable[[h5py.File], None]:
    """Store a dataset in another form, keeping its checksum."""

    def change(file: h5py.File) -> None:
        old = file[name]
        values, checksum, chunks = old[:], old.attrs["sha256"], old.chunks
        del file[name]
        arguments = {"data": values, "chunks": chunks, "maxshape": (None, *values.shape[1:])}
        arguments |= changes
        file.create_dataset(name, **arguments).attrs["sha256"] = checksum

    return change


def put(name: str, row: object, value: object) -> Callable[[h5py.File], None]:
    def change(file: h5py.File) -> None:
        file[name][row] = value

    return change


def swap(name: str) -> Callable[[h5py.File], None]:
    """Swap the pictures of two rows, so that lines and colours of two posts are mixed up."""

    def change(file: h5py.File) -> None:
        file[name][:2] = file[name][:2][::-1]

    return change


def about(name: str, value: object) -> Callable[[h5py.File], None]:
    return lambda file: file.attrs.__setitem__(name, value)


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda file: file.attrs.__delitem__("split"), "it lacks the attributes split"),
        (about("schema", "senga-0"), "its schema is senga-0, expected senga-1"),
        (about("size", 64), r"color is uint8 \(3, 32, 32, 3\), expected uint8 \(3, 64, 64, 3\)"),
        (about("size", 0), "its size is 0, expected a number of pixels"),
        (about("size", "big"), "its size is big, expected a number of pixels"),
        (about("config", "{"), "its attribute config is not JSON"),
        (lambda file: file.__delitem__("line/pured"), "its datasets differ in line/pured"),
        (lambda file: file.create_dataset("extra", data=[1]), "its datasets differ in extra"),
        (lambda file: file["tags"].attrs.__delitem__("sha256"), "tags has no checksum"),
        (replace("line/pured", chunks=(3, 32, 32)), r"line/pured has chunks \(3, 32, 32\)"),
        (replace("line/pured", dtype=np.int16), "line/pured is int16"),
        (replace("id", data=np.arange(4)), r"color is uint8 .* expected uint8 \(4, 32, 32, 3\)"),
        (replace("box", dtype=np.int32), "box is int32"),
        (put("id", 1, 90), "its ids do not ascend"),
        (put("id", 1, 3), "its ids do not ascend"),
        (put("id", 1, 6), "id does not match its checksum"),
        (put("box", 1, [4, 0, 33, 32]), r"the box of row 1 is \[4, 0, 33, 32\], expected"),
        (put("box", 1, [28, 0, 28, 32]), "the box of row 1 is"),
        (put("box", 1, [5, 0, 28, 32]), "color of row 1 is not paper outside its content box"),
        (put("box", 1, [4, 1, 28, 32]), "color of row 1 is not paper outside its content box"),
        (put("box", 1, [4, 0, 27, 32]), "color of row 1 is not paper outside its content box"),
        (put("box", 1, [4, 0, 28, 31]), "color of row 1 is not paper outside its content box"),
        (put("box", 1, [3, 0, 28, 32]), "box does not match its checksum"),
        (put("tags", 1, "2girls"), "tags does not match its checksum"),
        (put("sha256", 1, b"1" * 64), "sha256 does not match its checksum"),
        (put("color", (1, 9, 9, 0), 255), "color does not match its checksum"),
        (put("line/pured", (1, 9, 3), 0), "line/pured of row 1 is not paper outside"),
        (put("line/pured", 2, 255), "line/pured of row 2 is blank"),
        (swap("line/enhanced"), "line/enhanced does not match its checksum"),
        (swap("color"), "color does not match its checksum"),
    ],
)
def test_each_fault_is_one_sentence(
    tmp_path: Path, damage: Callable[[h5py.File], None], fault: str
) -> None:
    path = write(tmp_path / "t.h5", [3, 5, 8])
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(SengaError, match=fault) as caught:
        verify([path])
    message = str(caught.value)
    assert message.startswith(f"{path} is damaged: ")
    assert message.endswith(". Delete it and build again.")
    assert "\n" not in message


@pytest.mark.parametrize("extras", [[name] for name in EXTRAS] + [list(EXTRAS)])
@pytest.mark.parametrize("ids", [[], [7], list(range(0, 900, 3))])
def test_valid_extras_are_summarized(tmp_path: Path, ids: list[int], extras: list[str]) -> None:
    (summary,) = verify([write(tmp_path / "t.h5", ids, extras=extras)])
    assert (summary.pictures, summary.extras) == (len(ids), tuple(extras))


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda file: file.__delitem__("flat_colors"), "its datasets differ in flat_colors"),
        (lambda file: file.__delitem__("measures/hues"), "its datasets differ in measures/hues"),
        (lambda file: file["measures"].create_dataset("a", data=[1]), "differ in measures/a"),
        (lambda file: file.move("mask", "masks"), "its datasets differ in masks"),
        (lambda file: file["mask"].attrs.__delitem__("sha256"), "mask has no checksum"),
        (replace("flat", dtype=np.int32), r"flat is int32 .*, expected uint16 \(3, 32, 32\)"),
        (replace("flat", chunks=(3, 32, 32)), r"flat has chunks \(3, 32, 32\)"),
        (replace("reference", dtype=np.int32), r"reference is int32 .* expected int64 \(3, 8\)"),
        (replace("measures/hues", dtype="f8"), "measures/hues is float64"),
        (put("flat", (1, 9, 3), 1), "flat of row 1 is not 0 outside its content box"),
        (put("flat", (1, 9, 9), 0), "flat of row 1 has pixels of no area in its content box"),
        (put("flat", (1, 9, 9), 4096), "flat of row 1 has an area 4096, expected less than 4096"),
        (put("flat", (1, 9, 9), 2), "flat does not match its checksum"),
        (put("flat_colors", (2, 0, 1), 9), "flat_colors of row 2 does not begin with white"),
        (put("flat_colors", (2, 1, 1), 9), "flat_colors does not match its checksum"),
        (put("mask", (1, 9, 3), 255), "mask of row 1 is not 0 outside its content box"),
        (put("mask", (1, 9, 9), 128), "mask of row 1 has values but 0 and 255"),
        (put("mask", (1, 9, 9), 0), "mask does not match its checksum"),
        (put("reference", (1, 0), 4), "reference of row 1 has post 4, which is not in this file"),
        (put("reference", (1, 0), 5), "reference of row 1 has post 5 itself"),
        (put("reference", (1, 0), -1), r"reference of row 1 is \[-1, 8, -1.*\], expected ids"),
        (put("reference", (1, 2), 8), r"reference of row 1 is \[3, 8, 8.*\], expected ids"),
        (put("reference", (1, 1), -1), "reference does not match its checksum"),
        (put("measures/hues", 1, np.nan), "measures/hues of row 1 is nan, expected a number"),
        (put("measures/hues", 1, 3), "measures/hues does not match its checksum"),
        (put("measures/phash", 1, b"cd"), "measures/phash does not match its checksum"),
    ],
)
def test_each_fault_of_an_extra_is_one_sentence(
    tmp_path: Path, damage: Callable[[h5py.File], None], fault: str
) -> None:
    path = write(tmp_path / "t.h5", [3, 5, 8], extras=EXTRAS)
    with h5py.File(path, "r+") as file:
        damage(file)
    with pytest.raises(SengaError, match=fault) as caught:
        verify([path])
    message = str(caught.value)
    assert message.startswith(f"{path} is damaged: ")
    assert message.endswith(". Delete it and build again.")
    assert "\n" not in message


@pytest.mark.parametrize("kept", [0, 4, 100, 2000, 20000, -1])
def test_truncated_file_is_one_sentence(tmp_path: Path, kept: int) -> None:
    path = write(tmp_path / "t.h5", [3, 5, 8])
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(
        SengaError, match=r"t\.h5 is damaged: it is not a complete HDF5 file"
    ) as caught:
        verify([path])
    assert "\n" not in str(caught.value)


def test_flipped_bits_of_a_picture_are_detected(tmp_path: Path) -> None:
    path = write(tmp_path / "t.h5", [3])
    with h5py.File(path) as file:
        place = file["line/original"].id.get_chunk_info(0)
    raw = bytearray(path.read_bytes())
    end = place.byte_offset + place.size - 5  # before the last bits, which mean nothing
    for offset in range(place.byte_offset, end, 97):
        raw[offset] ^= 0x10
        path.write_bytes(raw)
        with pytest.raises(SengaError, match="Delete it and build again"):
            verify([path])
        raw[offset] ^= 0x10
    path.write_bytes(raw)
    verify([path])


def test_picture_in_two_files_is_refused(tmp_path: Path) -> None:
    train = write(tmp_path / "train.h5", [3, 5, 8, 9])
    verify([train, write(tmp_path / "test.h5", [4, 7])])
    with pytest.raises(SengaError, match=r"has post 5, as .* has \(2 in all\)"):
        verify([train, write(tmp_path / "test.h5", [5, 7, 9])])


def test_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SengaError, match=r"none\.h5 is missing\. Build it first"):
        verify([tmp_path / "none.h5"])


def test_command_prints_a_summary_or_the_fault(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "t.h5", [3, 5])
    assert main([str(path)]) == 0
    assert "2 pictures of 32 x 32, colour and lines: valid" in capsys.readouterr().out
    extended = write(tmp_path / "more.h5", [7], sketches=True, extras=["flat", "mask"])
    assert main([str(extended)]) == 0
    assert "colour, lines, sketches, flat and mask: valid" in capsys.readouterr().out
    assert main([str(path), str(tmp_path / "none.h5")]) == 1
    assert capsys.readouterr().err == f"{tmp_path / 'none.h5'} is missing. Build it first.\n"


def test_command_wants_files_or_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["a.h5", "--data", "data"]):
        with pytest.raises(SystemExit, match="2"):
            main(arguments)
    assert "give either packed files, or --data" in capsys.readouterr().err


@pytest.mark.parametrize("in_parts", [False, True])
@pytest.mark.filterwarnings("ignore")  # of a library that is not ours
def test_hugging_face_datasets_opens_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_parts: bool
) -> None:
    """Or its parts: it refuses an index."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    datasets = pytest.importorskip("datasets")
    datasets.disable_progress_bars()
    extras = [name for name in EXTRAS if not in_parts or name != "reference"]
    make = partial(write, sketches=True, extras=extras, rows_per_file=int(in_parts))
    files = {"train": make(tmp_path / "train.h5", [3, 5]), "test": make(tmp_path / "test.h5", [4])}
    names = {name: path.stem + ("-*.h5" if in_parts else ".h5") for name, path in files.items()}
    loaded = datasets.load_dataset(
        "hdf5",
        data_files={name: str(tmp_path / pattern) for name, pattern in names.items()},
        cache_dir=str(tmp_path / "cache"),
    )
    assert {name: part.num_rows for name, part in loaded.items()} == {"train": 2, "test": 1}
    row = loaded["train"].with_format("numpy")[1]
    with h5py.File(files["train"]) as file:
        assert (row["color"] == file["color"][1]).all()
        for group in ("line", "sketch"):
            assert list(row[group]) == sorted(STYLES)
            assert (row[group]["pured"] == file[f"{group}/pured"][1]).all()
    assert (row["id"], row["tags"], row["box"].tolist()) == (5, "1girl 猫", list(BOX))
    for name, picture in extras_of_picture().items():
        assert (row[name] == picture).all()
    assert in_parts or row["reference"].tolist() == [3, *[-1] * 7]
    assert row["measures"]["hues"] == 2
