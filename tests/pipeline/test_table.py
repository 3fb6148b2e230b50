"""Sealed tables: any other bit is noticed before the table is parsed."""

import pickle
from pathlib import Path

import polars as pl
import pytest

from pipeline.damage import DamagedFileError
from pipeline.table import BLANK_SEAL, check_table, read_table, scan_table, seal, write_table

ROWS = pl.DataFrame({"id": [1, 2, 3], "tags": ["1girl", "senga:sha256\x18\x40", "猫"]})


def test_table_is_read_back_by_anyone(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(ROWS, path)
    assert read_table(path).equals(ROWS)
    assert read_table(path, ["tags", "id"]).columns == ["tags", "id"]
    assert scan_table(path).collect().equals(ROWS)
    assert pl.read_parquet(path).equals(ROWS)


def test_streamed_table_is_sealed(tmp_path: Path) -> None:
    ROWS.lazy().sink_parquet(tmp_path / "t.parquet", metadata=BLANK_SEAL)
    with pytest.raises(DamagedFileError, match="does not match its seal"):
        check_table(tmp_path / "t.parquet")
    seal(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").equals(ROWS)


def test_every_flipped_bit_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(ROWS, path)
    content = path.read_bytes()
    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1 << position % 8
        path.write_bytes(changed)
        with pytest.raises(DamagedFileError):
            check_table(path)


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    write_table(ROWS, path)
    content = path.read_bytes()
    for size in range(len(content)):
        path.write_bytes(content[:size])
        with pytest.raises(DamagedFileError):
            read_table(path)


@pytest.mark.parametrize("piece", [1, 37, 500, 1 << 20])
def test_table_of_several_pieces_is_sealed_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr("pipeline.table._PIECE", piece)
    path = tmp_path / "t.parquet"
    write_table(ROWS, path)
    assert read_table(path).equals(ROWS)
    content = path.read_bytes()
    for position in range(0, len(content), 97):
        flipped = bytes([content[position] ^ 16])
        path.write_bytes(content[:position] + flipped + content[position + 1 :])
        with pytest.raises(DamagedFileError):
            check_table(path)


def test_seal_of_the_whole_that_an_earlier_version_made_still_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.parquet"
    write_table(ROWS, path)  # of one piece, as all tables were then
    monkeypatch.setattr("pipeline.table._PIECE", 100)
    assert read_table(path).equals(ROWS)
    path.write_bytes(path.read_bytes().replace(b"1girl", b"2girl"))
    with pytest.raises(DamagedFileError, match="does not match its seal"):
        check_table(path)


def test_table_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    ROWS.write_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").equals(ROWS)


def test_what_is_no_table_is_one_sentence(tmp_path: Path) -> None:
    write_table(ROWS, tmp_path / "t.parquet")
    for path, columns in (
        (tmp_path / "none", None),
        (tmp_path, None),
        (tmp_path / "t.parquet", ["x"]),
    ):
        with pytest.raises(DamagedFileError, match="Delete it and build again") as caught:
            read_table(path, columns)
        assert caught.value.path == path
        assert "\n" not in str(caught.value)


def test_error_passes_from_one_process_to_another() -> None:
    error = DamagedFileError(Path("a.tar"), "cut")
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.path, copy.fault, str(copy)) == (error.path, error.fault, str(error))


def test_name_with_the_letters_of_a_pattern_is_a_name(tmp_path: Path) -> None:
    write_table(ROWS, tmp_path / "t[1]*.parquet")
    write_table(ROWS.clear(), tmp_path / "t1.parquet")
    assert read_table(tmp_path / "t[1]*.parquet").equals(ROWS)
    assert scan_table(tmp_path / "t[1]*.parquet").collect().equals(ROWS)


@pytest.mark.parametrize(("length", "fits"), [(0, True), (20, True), (21, False), (2**31, False)])
def test_footer_must_fit_between_the_ends(tmp_path: Path, length: int, fits: bool) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1" + bytes(20) + length.to_bytes(4, "little") + b"PAR1")
    if fits:
        check_table(path)  # of an earlier version, without a seal
        return
    with pytest.raises(DamagedFileError, match="it is not a complete Parquet file"):
        check_table(path)


def test_file_of_another_kind_is_no_table(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    path.write_bytes(b"PAR1" + bytes(20) + (20).to_bytes(4, "little") + b"PARE")
    with pytest.raises(DamagedFileError, match="it is not a complete Parquet file"):
        check_table(path)
