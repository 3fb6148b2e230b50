"""The places of line ends and quotes, against a search character by character."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.posts import marks
from pipeline.posts.marks import Marks

CONTENT = st.binary(max_size=60) | st.text('\n"\t\ra', max_size=60).map(str.encode)


@pytest.mark.parametrize("piece", [1, 7, 1 << 18])
@given(content=CONTENT)
def test_marks_are_those_of_a_search_by_character(content: bytes, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(marks, "_PIECE", piece)
        found = Marks(content)
        assert found.ends.tolist() == [at for at, byte in enumerate(content) if byte == 10]
        assert found.quotes.tolist() == [at for at, byte in enumerate(content) if byte == 34]
        assert found.has_controls == any(byte < 32 and byte != 10 for byte in content)


def test_quotes_are_kept_only_if_they_are_few() -> None:
    few, many = Marks(b'a,"b",c,d and more than that\n'), Marks(b'"""\n')
    assert few.quotes is few.quotes
    assert many.quotes is not many.quotes
