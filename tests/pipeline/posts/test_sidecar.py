"""The files that tools put beside a picture."""

import codecs
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.posts import sidecar
from pipeline.posts.kaggle_csv import MAX_ROW
from pipeline.posts.rows import FIELDS
from pipeline.posts.sidecar import SidecarError, read_json, read_text

TEXTS = {
    "kohya": ("1girl, white background, solo", {"tags": "1girl white_background solo"}),
    "waifuc": (
        "1girl, hatsune_miku, solo, kuon \\(utawarerumono\\)",
        {"tags": "1girl hatsune_miku solo kuon_(utawarerumono)"},
    ),
    "grabber": ("1girl solo :d re:zero", {"tags": "1girl solo :d re:zero"}),
    "hydrus": (
        "creator:Some Artist\ncharacter:kuon\nseries:utawarerumono\nrating:safe\n1girl\n"
        "white background\nsource:https://a.example/1",
        {
            "tags": "1girl white_background some_artist kuon utawarerumono",
            "artist": "some_artist",
            "character": "kuon",
            "copyright": "utawarerumono",
            "rating": "safe",
            "source": "https://a.example/1",
        },
    ),
    "one word": ("solo", {"tags": "solo"}),
    "windows": ("\ufeff1girl\r\nwhite background\r\n", {"tags": "1girl white_background"}),
    "repeated": ("solo, Solo, 1girl,, ,", {"tags": "solo 1girl"}),
    "empty": (" \n", {}),
}

POSTS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "gallery-dl of danbooru": (
        {
            "category": "danbooru",
            "id": 4560123,
            "tag_string": "1girl kuon_(utawarerumono) solo",
            "tag_string_character": "kuon_(utawarerumono)",
            "tag_string_artist": "someone",
            "rating": "g",
            "score": 12,
            "source": "https://www.pixiv.net/artworks/1",
            "created_at": "2015-12-13T09:46:40.000+00:00",
        },
        {
            "tags": "1girl kuon_(utawarerumono) solo someone",
            "character": "kuon_(utawarerumono)",
            "artist": "someone",
            "rating": "g",
            "score": "12",
            "source": "https://www.pixiv.net/artworks/1",
            "post_url": "https://danbooru.donmai.us/posts/4560123",
            "created_at": "1450000000",
        },
    ),
    "gallery-dl of gelbooru with kinds": (
        {
            "category": "gelbooru",
            "id": 7,
            "tags": "1girl solo kuon someone",
            "tags_character": ["kuon"],
            "tags_artist": "someone",
            "tags_metadata": "highres",
            "rating": "sensitive",
        },
        {
            "tags": "1girl solo kuon someone highres",
            "character": "kuon",
            "artist": "someone",
            "meta": "highres",
            "rating": "sensitive",
            "post_url": "https://gelbooru.com/index.php?page=post&s=view&id=7",
        },
    ),
    "e621": (
        {
            "category": "e621",
            "id": 9,
            "tags": {"general": ["solo"], "artist": ["someone"], "species": ["cat"]},
            "score": {"up": 5, "down": -1, "total": 4},
            "sources": ["https://a.example/1", "https://a.example/2"],
        },
        {
            "tags": "solo cat someone",
            "artist": "someone",
            "score": "4",
            "source": "https://a.example/1",
            "post_url": "https://e621.net/posts/9",
        },
    ),
    "pixiv": (
        {
            "category": "pixiv",
            "id": 5,
            "tags": ["オリジナル", "White Background"],
            "rating": "All",
        },
        {
            "tags": "オリジナル white_background",
            "rating": "All",
            "post_url": "https://www.pixiv.net/artworks/5",
        },
    ),
    "img2dataset": ({"caption": "1girl, solo", "url": "x", "width": 3}, {"tags": "1girl solo"}),
    "nothing": ({"id": 1, "tags": None, "score": True}, {}),
}


@pytest.mark.parametrize(("text", "record"), TEXTS.values(), ids=TEXTS.keys())
def test_text_of_any_tool_is_read(text: str, record: dict[str, str]) -> None:
    assert read_text(text.encode()) == record


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
        (b"", "cp1252"),
    ],
)
def test_text_is_read_in_its_encoding(mark: bytes, encoding: str) -> None:
    content = mark + "1girl, café au lait\r\n".encode(encoding)
    assert read_text(content) == {"tags": "1girl café_au_lait"}
    post = mark + '{"tags": ["1girl", "café au lait"]}'.encode(encoding)
    assert read_json(post) == {"tags": "1girl café_au_lait"}


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        ("1girl, solo".encode("utf-16-le"), "NUL bytes"),
        (b"1girl\0solo", "NUL bytes"),
        (codecs.BOM_UTF16_LE + b"1\0g", "begins as UTF-16"),
        (codecs.BOM_UTF16_BE + b"\xd8\x00", "begins as UTF-16"),
        ("オリジナル, 初音ミク".encode("cp932"), "neither UTF-8 nor Windows-1252"),
        (b"1girl, \x81", "neither UTF-8 nor Windows-1252"),
    ],
)
def test_what_cannot_be_text_is_an_error(content: bytes, cause: str) -> None:
    with pytest.raises(SidecarError, match=cause):
        read_text(content)


def test_a_letter_that_another_tool_has_lost_is_no_error() -> None:
    assert read_text("1girl, caf\ufffd".encode()) == {"tags": "1girl caf\ufffd"}


@pytest.mark.parametrize(("post", "record"), POSTS.values(), ids=POSTS.keys())
def test_post_of_any_tool_is_read(post: dict[str, Any], record: dict[str, str]) -> None:
    assert read_json(json.dumps(post).encode()) == record
    assert read_json(json.dumps([post]).encode()) == record


EXPORTED = {
    "id": 7,
    "tags": "solo kuon girls,_be \\(^o^)/",
    "artist": "",
    "character": "kuon",
    "copyright": "",
    "meta": "",
    "rating": "s",
    "link": "https://a.example/7",
    "text": "trigger word, solo",
}


def test_row_of_an_export_is_read_as_it_is() -> None:
    expected = {
        "id": "7",
        "tags": "solo kuon girls,_be \\(^o^)/",
        "character": "kuon",
        "rating": "s",
        "post_url": "https://a.example/7",
    }
    assert sidecar.record_of(EXPORTED) == expected
    untagged = {**EXPORTED, "tags": "", "character": "", "link": ""}
    assert sidecar.record_of(untagged) == {"id": "7", "tags": "", "rating": "s"}


@pytest.mark.parametrize("number", [0, -7, 2**63, True, 7.5, "07", "x", None])
def test_id_of_an_export_is_a_whole_number(number: object) -> None:
    assert "id" not in sidecar.record_of({**EXPORTED, "id": number})
    assert sidecar.record_of({**EXPORTED, "id": 2**63 - 1})["id"] == str(2**63 - 1)


@pytest.mark.parametrize("key", ["artist", "link"])
def test_ids_and_kinds_of_others_are_not_taken_for_ours(key: str) -> None:
    others = {name: value for name, value in EXPORTED.items() if name != key}
    assert sidecar.record_of(others).keys() == {"tags", "rating"}


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("2015-12-13 09:46:40", "1450000000"),  # of gallery-dl, in UTC
        ("2015-12-13T18:46:40+09:00", "1450000000"),
        (1450000000, "1450000000"),
        ("long ago", "long ago"),
    ],
)
def test_time_is_read_in_its_own_zone(
    written: object, seconds: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert sidecar.record_of({"date": written}) == {"created_at": seconds}
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("content", [b'{"tags": "1gi', b"[]", b"3", b"", b"\xff\xfe", b"[" * 9_000])
def test_json_of_no_post_is_an_error(content: bytes) -> None:
    with pytest.raises(SidecarError, match="JSON"):
        read_json(content)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["tags", "tag_string", "tags_artist", "rating", "score", "source", "sources", "date", "id"]
)


@given(st.dictionaries(KEYS, JSON))
def test_any_post_has_fields_of_text(post: dict[str, Any]) -> None:
    record = sidecar.record_of(post)
    assert set(record) <= set(FIELDS)
    for text in record.values():
        assert isinstance(text, str)
        assert text
        text.encode()


@given(st.binary(max_size=200))
def test_any_text_has_tags_without_spaces(content: bytes) -> None:
    try:
        record = read_text(content)
    except SidecarError:
        return
    for text in record.get("tags", "x").split(" "):
        assert text
        assert not any(letter.isspace() for letter in text)


def test_what_is_said_first_counts() -> None:
    first = {"tags": "a", "rating": "s"}
    second = {"tags": "b", "artist": "c", "rating": "q", "score": "3"}
    assert sidecar.merge([first, second]) == {"tags": "a", "rating": "s", "score": "3"}
    assert sidecar.merge([{"score": "3"}, second]) == {**second}


@pytest.mark.parametrize("field", ["tags", "artist", "source", "post_url"])
def test_a_record_that_makes_a_post_too_long_is_left_out_alone(field: str) -> None:
    long = {field: "é" * (MAX_ROW // 2 - 20), "score": "3"}
    records = [("a.txt", long), ("b.json", {"tags": "solo", "rating": "s"})]
    assert sidecar.merge_what_fits(records[:1], 40) == (long, [])
    assert sidecar.merge_what_fits(records, 41) == (records[1][1], ["a.txt"])
