"""`Closing` objects are closed at the end of a `with` block, also after an error."""

import pytest

from sketch_models.closing import Closing


class Door(Closing):
    closed = False

    def close(self) -> None:
        self.closed = True


def test_close_is_called_at_the_end_of_the_block() -> None:
    with Door() as door:
        assert not door.closed
    assert door.closed


def test_close_is_called_after_an_error_which_propagates() -> None:
    door = Door()
    with pytest.raises(KeyError), door:
        raise KeyError
    assert door.closed
