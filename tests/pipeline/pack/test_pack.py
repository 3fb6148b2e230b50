"""Packing: the layout, the pairing, and the codes of pictures that cannot be packed."""

import hashlib
import io
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.outcome import OK, Outcome, count_codes
from pipeline.pack.dataset_file import content_digest
from pipeline.pack.extras import EXTRAS, extra_columns, extra_pictures
from pipeline.pack.pack import PackOptions, ShardPaths, check_aspect, pack
from pipeline.pack.parts import find_parts
from pipeline.pack.verify_files import verify
from pipeline.picture import Decoded, PictureError, read_picture, resize_long_side
from pipeline.screen.screen import ScreenOptions, screen_shard
from pipeline.shard import write_shard
from pipeline.table import read_table
from sketch_models.errors import ConfigError
from sketch_models.styles import STYLES

SMALL = PackOptions(size=32, threads=2)
WITH_EXTRAS = replace(SMALL, extras=EXTRAS)
ABOUT = {"dataset": "sample", "split": "train", "fingerprint": "ab" * 32, "config": '{"a": 1}'}
WIDTH, HEIGHT = 60, 80


def encoded(pixels: np.ndarray) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG")
    return target.getvalue()


def color_of(post_id: int) -> bytes:
    return encoded(np.full((HEIGHT, WIDTH, 3), post_id % 200, np.uint8))


def maps_of(post_id: int) -> dict[str, bytes]:
    """Return flat maps whose grey level depends on post and style."""
    return {
        f"{style}.png": encoded(np.full((HEIGHT // 2, WIDTH // 2), post_id % 200 + n, np.uint8))
        for n, style in enumerate(STYLES)
    }


def shard_of(
    folder: Path,
    ids: list[int],
    color: Mapping[int, Mapping[str, bytes]] = {},
    line: Mapping[int, Mapping[str, bytes]] = {},
) -> ShardPaths:
    """Write a shard with a picture per id; `color` and `line` replace parts of some."""
    folder.mkdir(parents=True)
    paths = ShardPaths(
        posts=folder / "posts.parquet",
        color=folder / "color.tar",
        sketches={"": folder / "sketch.tar"},
        lines={"": folder / "line.tar"},
        screen=folder / "screen.parquet",
    )
    pl.DataFrame({"id": ids, "tags": [f"1girl 猫_{i}" for i in ids]}).write_parquet(paths.posts)
    # Stored in another order than asked for: nothing may be paired by position.
    write_shard(paths.color, [(i, color.get(i, {"png": color_of(i)})) for i in reversed(ids)])
    write_shard(paths.lines[""], [(i, line.get(i, maps_of(i))) for i in ids])
    write_shard(paths.sketches[""], [(i, maps_of(i + 10)) for i in ids])
    return paths


def test_packed_file_has_the_documented_layout(tmp_path: Path) -> None:
    shards = [shard_of(tmp_path / "0", [3, 5, 8]), shard_of(tmp_path / "1", [101, 110])]
    target = tmp_path / "train.h5"
    advanced: list[int] = []
    outcomes = pack(
        target, [3, 8, 110], shards, SMALL, attributes=ABOUT, on_progress=advanced.append
    )
    assert outcomes == [Outcome(3, OK), Outcome(8, OK), Outcome(110, OK)]
    assert sum(advanced) == 3
    with h5py.File(target) as file:
        assert file["id"][:].tolist() == [3, 8, 110]
        assert file["id"].dtype == np.int64
        assert (file["color"].shape, file["color"].dtype) == ((3, 32, 32, 3), np.uint8)
        assert file["color"].chunks == (1, 32, 32, 3)
        assert sorted(file["line"]) == sorted(STYLES)
        assert "sketch" not in file
        assert file["line/pured"].shape == (3, 32, 32)
        assert file["line/pured"].chunks == (1, 32, 32)
        assert file["box"].dtype == np.int16
        assert file["box"][:].tolist() == [[4, 0, 28, 32]] * 3
        assert file["tags"].asstr()[:].tolist() == ["1girl 猫_3", "1girl 猫_8", "1girl 猫_110"]
        assert file["sha256"].dtype == np.dtype("S64")
        assert file["sha256"][1].decode() == hashlib.sha256(color_of(8)).hexdigest()
        attributes = dict(file.attrs)
        for row, post_id in enumerate([3, 8, 110]):
            assert (file["color"][row, :, 4:28] == post_id).all()
            assert (file["color"][row, :, :4] == 255).all()
            for number, style in enumerate(STYLES):
                assert (file[f"line/{style}"][row, :, 4:28] == post_id + number).all()
    assert attributes.pop("created").startswith("20")
    assert attributes.pop("schema") == "senga-1"
    assert attributes.pop("size") == 32
    assert json.loads(attributes["config"]) == {"a": 1}
    assert attributes == ABOUT
    verify([target])


@pytest.mark.parametrize("compression", ["gzip", "none"])
def test_sketches_are_packed_if_requested(tmp_path: Path, compression: str) -> None:
    shard = shard_of(tmp_path / "0", [3])
    options = PackOptions(size=32, sketches=True, compression=compression)
    pack(tmp_path / "t.h5", [3], [shard], options, attributes=ABOUT)
    with h5py.File(tmp_path / "t.h5") as file:
        assert file["color"].compression == (None if compression == "none" else compression)
        assert (file["sketch/pured"][0, :, 4:28] == 15).all()
        assert (file["line/pured"][0, :, 4:28] == 5).all()
    assert verify([tmp_path / "t.h5"])[0].sketches


def test_each_variant_is_a_dataset(tmp_path: Path) -> None:
    paths = shard_of(tmp_path / "0", [3, 5])
    other = tmp_path / "other.tar"
    write_shard(other, [(i, maps_of(i + 50)) for i in (5, 3)])
    both = replace(paths, lines={"_256": paths.lines[""], "_512": other})
    target = tmp_path / "train.h5"
    pack(target, [3, 5], [both], SMALL, attributes=ABOUT)
    with h5py.File(target) as file:
        assert sorted(file["line"]) == sorted(f"{s}_{n}" for s in STYLES for n in (256, 512))
        for name, more in (("_256", 0), ("_512", 50)):
            middle = file[f"line/enhanced{name}"][:, SMALL.size // 2, SMALL.size // 2]
            assert middle.tolist() == [3 + 1 + more, 5 + 1 + more]
    (summary,) = verify([target])
    assert summary.pictures == 2


def test_picture_without_one_of_its_variants_is_missing(tmp_path: Path) -> None:
    paths = shard_of(tmp_path / "0", [3, 5])
    other = tmp_path / "other.tar"
    write_shard(other, [(3, maps_of(3))])
    both = replace(paths, lines={"_256": paths.lines[""], "_512": other})
    outcomes = pack(tmp_path / "train.h5", [3, 5], [both], SMALL, attributes=ABOUT)
    assert [(outcome.id, outcome.code) for outcome in outcomes] == [(3, OK), (5, "missing")]


def test_binary_lines_are_ink_or_paper(tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 255, WIDTH // 2).astype(np.uint8), (HEIGHT // 2, 1))
    line = {3: {f"{style}.png": encoded(ramp) for style in STYLES}}
    shard = shard_of(tmp_path / "0", [3], line=line)
    for binary in (False, True):
        options = replace(SMALL, binary_lines=binary)
        pack(tmp_path / f"{binary}.h5", [3], [shard], options, attributes=ABOUT)
    with h5py.File(tmp_path / "True.h5") as file, h5py.File(tmp_path / "False.h5") as grey:
        packed = file["line/original"][:]
        assert set(np.unique(packed)) == {0, 255}
        assert ((grey["line/original"][:] < 128) == (packed == 0)).all()


def test_ink_of_binary_lines_is_darker_than_half(tmp_path: Path) -> None:
    halves = np.full((32, 24), 127, np.uint8)  # as large as it is packed
    halves[16:] = 128
    line = {3: {f"{style}.png": encoded(halves) for style in STYLES}}
    shard = shard_of(tmp_path / "0", [3], line=line)
    options = replace(SMALL, binary_lines=True)
    pack(tmp_path / "t.h5", [3], [shard], options, attributes=ABOUT)
    with h5py.File(tmp_path / "t.h5") as file:
        assert (file["line/original"][0, :16, 4:28] == 0).all()
        assert (file["line/original"][0, 16:, 4:28] == 255).all()


def test_equal_pictures_have_equal_content_digests(tmp_path: Path) -> None:
    """Date, compression, number of threads and shard boundaries do not matter."""
    ids = list(range(1, 301))
    one, many = [shard_of(tmp_path / "one", ids)], []
    many = [shard_of(tmp_path / str(n), ids[n : n + 100]) for n in (0, 100, 200)]
    pack(tmp_path / "a.h5", ids, one, PackOptions(size=16, threads=1), attributes=ABOUT)
    plain = PackOptions(size=16, threads=5, compression="none")
    pack(tmp_path / "b.h5", ids, many, plain, attributes={**ABOUT, "split": "test"})
    pack(tmp_path / "c.h5", ids[1:], many, plain, attributes=ABOUT)
    with (
        h5py.File(tmp_path / "a.h5") as a,
        h5py.File(tmp_path / "b.h5") as b,
        h5py.File(tmp_path / "c.h5") as c,
    ):
        assert a["id"].shape == (300,)
        assert content_digest(a) == content_digest(b)
        assert content_digest(a) != content_digest(c)


@given(
    sides=st.tuples(st.integers(40, 700), st.integers(40, 700)).filter(
        lambda sides: max(sides) <= 16 * min(sides)
    ),
    sketch=st.integers(64, 200),
    line=st.integers(64, 600),
)
def test_line_art_of_an_uncropped_picture_is_never_misaligned(
    sides: tuple[int, int], sketch: int, line: int
) -> None:
    """For all [sketch] size and [simplify] sizes, also for lines larger than their sketch."""
    width, height = sides
    sketched = resize_long_side(np.zeros((height, width), np.uint8), sketch)
    check_aspect("line/original", sketched, width, height)
    check_aspect("line/original", resize_long_side(sketched, line), width, height)


@pytest.mark.parametrize(
    ("map_width", "fits"), [(38, False), (39, True), (40, True), (41, True), (42, False)]
)
def test_both_roundings_of_a_map_are_allowed_and_no_more(map_width: int, fits: bool) -> None:
    """Half a pixel of the sketch, whose side was rounded, and half a pixel of the map."""
    pixels = np.zeros((64, map_width), np.uint8)
    if fits:
        check_aspect("line/original", pixels, 400, 640)  # 40 pixels, exactly
    else:
        with pytest.raises(PictureError, match="misaligned"):
            check_aspect("line/original", pixels, 400, 640)


@pytest.mark.parametrize("size", [64, 256, 768])
def test_line_art_of_a_cropped_picture_is_misaligned(size: int) -> None:
    cropped = resize_long_side(np.zeros((1140, 850), np.uint8), size)
    with pytest.raises(PictureError, match="misaligned"):
        check_aspect("line/original", cropped, 850, 1200)


WHITE = {f"{style}.png": encoded(np.full((40, 30), 255, np.uint8)) for style in STYLES}
SQUARE = {f"{style}.png": encoded(np.zeros((40, 40), np.uint8)) for style in STYLES}
CUT = {**maps_of(3), "pured.png": maps_of(3)["pured.png"][:-30]}
DAMAGED = {**maps_of(3), "pured.png": maps_of(3)["pured.png"].replace(b"IDAT", b"ID\0T")}


@pytest.mark.parametrize(
    ("color", "line", "code"),
    [
        ({"png": color_of(3)[:60]}, maps_of(3), "truncated"),
        ({}, maps_of(3), "missing"),
        ({"png": color_of(3)}, {"original.png": maps_of(3)["original.png"]}, "missing"),
        ({"png": color_of(3)}, {}, "missing"),
        ({"png": color_of(3)}, CUT, "broken_map"),
        ({"png": color_of(3)}, {**CUT, "pured.png": b""}, "broken_map"),
        ({"png": color_of(3)}, DAMAGED, "broken_map"),
        ({"png": color_of(3)}, WHITE, "blank_line"),
        ({"png": color_of(3)}, SQUARE, "misaligned"),
    ],
)
def test_picture_that_cannot_be_packed_has_a_code(
    tmp_path: Path, color: dict[str, bytes], line: dict[str, bytes], code: str
) -> None:
    shard = shard_of(tmp_path / "0", [2, 3, 4], color={3: color}, line={3: line})
    outcomes = pack(tmp_path / "t.h5", [2, 3, 4], [shard], SMALL, attributes=ABOUT)
    assert [(outcome.id, outcome.code) for outcome in outcomes] == [(2, OK), (3, code), (4, OK)]
    assert verify([tmp_path / "t.h5"])[0].ids.tolist() == [2, 4]
    with h5py.File(tmp_path / "t.h5") as file:
        assert (file["color"][1, :, 4:28] == 4).all()
        assert (file["line/original"][1, :, 4:28] == 4).all()


def test_unforeseen_error_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(content: bytes) -> Decoded:
        if content == color_of(3):
            raise ZeroDivisionError("by a library")
        return read_picture(content)

    monkeypatch.setattr("pipeline.pack.pack.read_picture", fail)
    shard = shard_of(tmp_path / "0", [2, 3, 4])
    outcomes = pack(tmp_path / "t.h5", [2, 3, 4], [shard], SMALL, attributes=ABOUT)
    codes = [(outcome.id, outcome.code) for outcome in outcomes]
    assert codes == [(2, OK), (3, "unexpected"), (4, OK)]


def figure_of(post_id: int) -> bytes:
    """Return a picture of two colours and some white, the lower third transparent."""
    pixels = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    pixels[:20, :, :3] = (post_id, 90, 30)
    pixels[20:50, :, :3] = (10, post_id, 200)
    pixels[45:50, :, :3] = 255  # of the figure, since it is opaque
    pixels[50:, :, 3] = 0
    return encoded(pixels)


@pytest.fixture
def figures(tmp_path: Path) -> ShardPaths:
    """A screened shard of two pictures of one character and one of another."""
    ids = [3, 5, 8]
    paths = shard_of(tmp_path / "figures", ids, color={i: {"png": figure_of(i)} for i in ids})
    tags = ["miku_(vocaloid)", "rin_(vocaloid)", "solo miku_(vocaloid)"]
    pl.DataFrame({"id": ids, "tags": tags}).write_parquet(paths.posts)
    screen_shard(paths.color, ids, paths.screen, ScreenOptions())
    return paths


def test_extras_are_packed_if_requested(tmp_path: Path, figures: ShardPaths) -> None:
    target = tmp_path / "t.h5"
    outcomes = pack(target, [3, 5, 8], [figures], WITH_EXTRAS, attributes=ABOUT)
    assert count_codes(outcomes) == {OK: 3}
    with h5py.File(target) as file:
        areas = file["flat"][1]
        assert (file["flat"].dtype, file["flat"].chunks) == (np.uint16, (1, 32, 32))
        assert (areas[:, :4] == 0).all()
        assert areas[2, 5] != areas[12, 5] != areas[28, 5]
        painted = file["flat_colors"][1][areas]
        assert painted[2, 5].tolist() == [5, 90, 30]
        assert painted[12, 5].tolist() == [10, 5, 200]
        assert (file["mask"][1, :20, 4:28] == 255).all()
        assert (file["mask"][1, 20:] == 0).all()
        assert file["reference"][:, :2].tolist() == [[8, -1], [-1, -1], [3, -1]]
        table = read_table(figures.screen)
        for name in ("width", "hues", "phash", "color_profile"):
            values = file[f"measures/{name}"][:]
            expected = np.array(table[name].to_list(), values.dtype)
            np.testing.assert_array_equal(values, expected)
        assert file["measures/height"].dtype == np.int32
        assert file["measures/hues"].dtype == np.float32
    (summary,) = verify([target])
    assert summary.extras == EXTRAS


def test_pictures_in_parts_are_those_of_one_file(tmp_path: Path, figures: ShardPaths) -> None:
    one, index = tmp_path / "one.h5", tmp_path / "train.h5"
    in_parts = replace(WITH_EXTRAS, rows_per_file=2)
    for target, options in ((one, WITH_EXTRAS), (index, in_parts)):
        pack(target, [3, 5, 8], [figures], options, attributes=ABOUT)
    assert [path.name for path in find_parts(index)] == ["train-00000.h5", "train-00001.h5"]
    summaries = verify([one]) + verify([index])
    assert summaries[0].content == summaries[1].content
    assert summaries[1].extras == EXTRAS


def checksums_of(file: h5py.File) -> dict[str, str]:
    names: list[str] = []
    file.visit(names.append)
    return {
        name: file[name].attrs["sha256"] for name in names if isinstance(file[name], h5py.Dataset)
    }


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_extra_adds_its_datasets_and_changes_no_other(
    tmp_path: Path, figures: ShardPaths, extra: str
) -> None:
    digests = {}
    for extras in ((), (extra,)):
        target = tmp_path / f"{len(extras)}.h5"
        options = replace(SMALL, extras=extras)
        pack(target, [3, 5, 8], [figures], options, attributes=ABOUT)
        assert verify([target])[0].extras == extras
        with h5py.File(target) as file:
            digests[extras] = checksums_of(file)
    added = {*extra_pictures([extra]), *extra_columns([extra])}
    assert added
    assert digests[(extra,)].keys() == digests[()].keys() | added
    assert digests[()].items() <= digests[(extra,)].items()


def test_extras_of_a_cropped_picture_fill_the_square(tmp_path: Path, figures: ShardPaths) -> None:
    options = replace(WITH_EXTRAS, fit="crop")
    pack(tmp_path / "t.h5", [3], [figures], options, attributes=ABOUT)
    verify([tmp_path / "t.h5"])
    with h5py.File(tmp_path / "t.h5") as file:
        assert (file["flat"][0] > 0).all()
        assert (file["mask"][0, :, 0] == file["mask"][0, :, 31]).all()


def test_a_picture_that_is_not_packed_is_no_reference(tmp_path: Path, figures: ShardPaths) -> None:
    write_shard(figures.lines[""], [(i, maps_of(i) if i != 8 else {}) for i in (3, 5, 8)])
    outcomes = pack(tmp_path / "t.h5", [3, 5, 8], [figures], WITH_EXTRAS, attributes=ABOUT)
    assert [outcome.code for outcome in outcomes] == [OK, OK, "missing"]
    with h5py.File(tmp_path / "t.h5") as file:
        assert (file["reference"][:] == -1).all()
    verify([tmp_path / "t.h5"])


def test_a_picture_without_measures_is_missing(tmp_path: Path, figures: ShardPaths) -> None:
    screen_shard(figures.color, [3, 8], figures.screen, ScreenOptions())
    outcomes = pack(tmp_path / "t.h5", [3, 5, 8], [figures], WITH_EXTRAS, attributes=ABOUT)
    assert outcomes[1] == Outcome(5, "missing", "no measures")
    assert count_codes(outcomes) == {OK: 2, "missing": 1}


def test_extras_of_no_pictures_are_empty(tmp_path: Path, figures: ShardPaths) -> None:
    pack(tmp_path / "t.h5", [], [figures], WITH_EXTRAS, attributes=ABOUT)
    assert verify([tmp_path / "t.h5"])[0].extras == EXTRAS


def test_narrow_picture_is_padded_but_not_cropped(tmp_path: Path) -> None:
    narrow = encoded(np.zeros((500, 3, 3), np.uint8))
    line = {f"{style}.png": encoded(np.zeros((96, 1), np.uint8)) for style in STYLES}
    shard = shard_of(tmp_path / "0", [3], color={3: {"png": narrow}}, line={3: line})
    for fit, code in [("pad", OK), ("crop", "too_narrow")]:
        options = PackOptions(size=32, fit=fit)
        outcomes = pack(tmp_path / "t.h5", [3], [shard], options, attributes=ABOUT)
        assert count_codes(outcomes) == {code: 1}


@pytest.mark.parametrize(("length", "code"), [(80, OK), (81, "too_narrow")])
@pytest.mark.parametrize("lies", [False, True])
def test_pictures_up_to_8_times_as_long_as_wide_are_cropped(
    tmp_path: Path, length: int, code: str, lies: bool
) -> None:
    pixels = np.zeros((length, 10), np.uint8)
    pixels = np.ascontiguousarray(pixels.T) if lies else pixels
    line = {f"{style}.png": encoded(pixels) for style in STYLES}
    color = {"png": encoded(np.repeat(pixels[..., None], 3, axis=2))}
    shard = shard_of(tmp_path / "0", [3], color={3: color}, line={3: line})
    options = PackOptions(size=32, fit="crop")
    outcomes = pack(tmp_path / "t.h5", [3], [shard], options, attributes=ABOUT)
    assert count_codes(outcomes) == {code: 1}


def test_ids_in_no_shard_are_missing(tmp_path: Path) -> None:
    shard = shard_of(tmp_path / "0", [3])
    outcomes = pack(tmp_path / "t.h5", [3, 77], [shard], SMALL, attributes=ABOUT)
    assert count_codes(outcomes) == {OK: 1, "missing": 1}


def test_no_pictures_make_an_empty_file(tmp_path: Path) -> None:
    assert pack(tmp_path / "t.h5", [], [], SMALL, attributes=ABOUT) == []
    assert verify([tmp_path / "t.h5"])[0].pictures == 0


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"size": 15}, "size = 15"),
        ({"size": 4097}, "size = 4097"),
        ({"threads": 257}, "threads = 257"),
        ({"fit": "squash"}, "fit = squash"),
        ({"compression": "lzf"}, "compression = lzf"),
        ({"threads": -1}, "threads = -1"),
    ],
)
def test_options_that_cannot_work_are_named(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigError, match=rf"^\[pack\] {named}: expected "):
        PackOptions(**wrong)  # type: ignore[arg-type]


PACK_WITH_LIMIT = """
import resource, sys
from pathlib import Path
from pipeline.pack.parts import find_parts
from pipeline.pack.pack import PackOptions, ShardPaths, pack
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
paths = ShardPaths(posts=folder / "posts.parquet", color=folder / "color.tar",
                   sketches={"": folder / "sketch.tar"}, lines={"": folder / "line.tar"},
                   screen=folder / "screen.parquet")
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
done = []
try:
    pack(folder.parent / "t.h5", range(1, 301), [paths],
         PackOptions(size=64, compression="none", rows_per_file=int(sys.argv[3])),
         attributes={"config": "x" * 9000},
         on_progress=done.append)
except OSError as error:
    sys.exit(f"errno {error.errno}")
finally:
    print(sum(done))
"""


@pytest.mark.parametrize("rows_per_file", [0, 100])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.9999])
def test_full_disk_raises_the_systems_error(
    tmp_path: Path, share: float, rows_per_file: int
) -> None:
    """In the first bytes, among the pictures or in the last ones, it neither crashes nor passes.

    It is raised at the picture that it happens at: nothing is packed for nothing.
    """
    shard_of(tmp_path / "0", list(range(1, 301)))

    def run(limit: int) -> tuple[int, str, int]:
        arguments = [
            sys.executable,
            "-c",
            PACK_WITH_LIMIT,
            str(tmp_path / "0"),
            str(limit),
            str(rows_per_file),
        ]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        return done.returncode, done.stderr, int(done.stdout)

    assert run(2**30) == (0, "", 300)
    sizes = [path.stat().st_size for path in tmp_path.glob("*.h5")]
    status, errors, packed = run(int(max(sizes) * share))
    assert (status, errors) == (1, "errno 27\n")  # EFBIG; a full disk has ENOSPC
    assert packed <= 300 * share + 1 or rows_per_file


PRINT_MEMORY_GROWTH = """
import resource, sys
from pathlib import Path
from pipeline.pack.parts import find_parts
from pipeline.pack.pack import PackOptions, ShardPaths, pack

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

top = Path(sys.argv[1])
shards = [
    ShardPaths(posts=top / n / "posts.parquet", color=top / n / "color.tar",
               sketches={"": top / n / "sketch.tar"}, lines={"": top / n / "line.tar"},
               screen=top / n / "screen.parquet")
    for n in sys.argv[2:]
]
options = PackOptions(size=128, compression="none")  # 98 kB a picture
about = {"dataset": "d", "split": "train", "fingerprint": "", "config": "{}"}
ids = list(range(1, 2001))
pack(top / "t.h5", ids[:200], shards, options, attributes=about)
before = peak()
pack(top / "t.h5", ids, shards, options, attributes=about)
print(peak() - before)
"""


def test_memory_does_not_depend_on_the_number_of_pictures(tmp_path: Path) -> None:
    """Measure the growth of the peak from 200 to 2,000 pictures, in a process of its own."""
    folders = [str(first) for first in range(1, 2001, 500)]
    for folder in folders:
        shard_of(tmp_path / folder, list(range(int(folder), int(folder) + 500)))
    command = [sys.executable, "-c", PRINT_MEMORY_GROWTH, str(tmp_path), *folders]
    grown = int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert grown < 60e6, grown  # the file has 196 MB
