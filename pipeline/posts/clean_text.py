"""Text of files and boards as it should have been: UTF-8, without control characters."""

from __future__ import annotations

import codecs
import html
import re

from pipeline.posts.marks import Marks

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WINDOWS_1252 = "senga.windows-1252"
_ENTITY = re.compile(
    r"&(?:#[0-9]{1,8}|#[xX][0-9a-fA-F]{1,8}|[A-Za-z][A-Za-z0-9]{0,31});"  # longer ones do not exist
)
_CONTROL = re.compile(r"[\x00-\x1f]")
_CONTROLS = bytes(range(32)).replace(b"\n", b"")


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Read bytes that are no UTF-8 as Windows-1252, which Excel writes; a handler of `codecs`."""
    assert isinstance(error, UnicodeDecodeError)
    bad = error.object[error.start : error.end]
    return bad.decode("cp1252", errors="replace"), error.end


codecs.register_error(_WINDOWS_1252, _as_windows_1252)


def decode(content: bytes, encoding: str = "utf-8") -> str:
    """Return bytes as text; those that are not valid are read as Windows-1252."""
    return content.decode(encoding, errors=_WINDOWS_1252)


def split_mark(content: bytes) -> tuple[bytes, str]:
    """Return bytes without their byte-order mark, and the encoding that it tells; else UTF-8."""
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :], encoding
    return content, "utf-8"


def clean_lines(marks: Marks, keep: str = "") -> Marks:
    r"""Return lines in UTF-8, each with the end \n, and a space for each control character.

    Args:
        marks: of the lines; the result has as many, and is the same if they are so already.
        keep: a control character that stays, such as the tab between fields.
    """
    content = marks.content
    if not content.isascii():
        try:
            content.decode()
        except UnicodeDecodeError:
            content = decode(content).encode()
    if marks.has_controls:
        unwanted = _CONTROLS.replace(keep.encode(), b"") if keep else _CONTROLS
        spaces = bytes.maketrans(unwanted, b" " * len(unwanted))
        content = content.replace(b"\r\n", b"\n").translate(spaces)
    return marks if content is marks.content else Marks(content)


def without_surrogates(text: str) -> str:
    r"""Return text that UTF-8 can hold: half a pair, which JSON may spell, becomes U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def unescape_entities(text: str) -> str:
    """Return text with `&#039;`, `&amp;` and the like replaced; a `&` without a `;` stays.

    Control characters that are spelled so become spaces, too.
    """
    return _ENTITY.sub(lambda entity: _CONTROL.sub(" ", html.unescape(entity[0])), text)
