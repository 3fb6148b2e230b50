"""Addresses of pictures on this machine, and ids from hashes."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.posts.local_file import (
    LocalFile,
    TarMember,
    hashed_id,
    is_local,
    parse_local,
    row_id,
)

NAMES = st.binary(min_size=1, max_size=40).filter(
    lambda name: b"/" not in name and b"\0" not in name
)
PATHS = st.lists(NAMES.filter(lambda name: name not in (b".", b"..")), min_size=1, max_size=4)


@given(parts=PATHS, member=st.text(max_size=20), size=st.integers(0, 1 << 40))
def test_an_address_says_which_file_whatever_its_name(
    parts: list[bytes], member: str, size: int
) -> None:
    member = member.encode("utf-8", "ignore").decode()
    file = LocalFile(path=os.fsdecode(b"/".join(parts)), size=size, modified=-7, member=member)
    url = file.to_url()
    assert is_local(url)
    assert url.isascii()
    assert url.isprintable()
    assert " " not in url
    assert parse_local(url) == file


@pytest.mark.parametrize(
    "url",
    [
        "file:/etc/passwd?1-2",
        "file:%2Fetc/passwd?1-2",
        "file:../secret.png?1-2",
        "file:a/%2E%2E/%2e./b.png?1-2",
        "file:a/..?1-2",
        "file:a%00.png?1-2",
        "file:a.png",
        "file:?1-2",
        "https://example.org/a.png?1-2",
        "file:a.png?1-2#",
    ],
)
def test_an_address_that_leads_out_of_the_folder_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"no address|leads out"):
        parse_local(url)


def test_addresses_of_the_web_are_not_local() -> None:
    assert not is_local("https://example.org/file:a.png")


@given(st.integers(0, 1 << 50), st.integers(0, 1 << 40), st.text(min_size=1))
def test_a_place_in_a_tar_comes_back(offset: int, size: int, name: str) -> None:
    member = TarMember(offset, size, name)
    assert TarMember.parse(str(member)) == member


@pytest.mark.parametrize("text", ["", "7", "a-b-c", "1-2-", "1--2-c"])
def test_a_text_of_no_place_is_none(text: str) -> None:
    assert TarMember.parse(text) is None


def test_ids_from_hashes_never_change() -> None:
    assert hashed_id("girl/001.jpg") == 4_819_601_693_697_316_903
    assert hashed_id("girl/\udcff.jpg") != hashed_id("girl/001.jpg")


@given(st.text())
def test_ids_from_hashes_are_positive_and_in_a_narrow_range(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode()
    assert 0 <= hashed_id(text) - 2**62 < 2**58


def test_ids_of_rows_never_change_and_neighbours_have_neighbours() -> None:
    assert row_id("data/a.parquet", 5) == 4_665_291_157_460_657_157
    assert row_id("a", 1023) - row_id("a", 0) == 1023
    assert row_id("a", 1024) != row_id("a", 1023) + 1
    assert row_id("b", 0) != row_id("a", 0)
    assert row_id("\udcff", 0) > 0


@given(st.text(alphabet="ab/", max_size=9), st.integers(0, 1 << 40))
def test_ids_of_rows_are_in_the_range_of_hashes(path: str, row: int) -> None:
    assert 0 <= row_id(path, row) - 2**62 < 2**58
