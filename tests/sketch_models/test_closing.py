"""What is opened in a `with` block is closed at its end, whatever happens in it."""

import pytest

from sketch_models.closing import Closing


class Door(Closing):
    closed = False

    def close(self) -> None:
        self.closed = True


def test_closes_at_the_end() -> None:
    with Door() as door:
        assert not door.closed
    assert door.closed


def test_closes_after_an_error_which_goes_on() -> None:
    door = Door()
    with pytest.raises(KeyError), door:
        raise KeyError
    assert door.closed
