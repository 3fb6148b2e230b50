"""Drawings of a shard, of which some fail."""

from collections.abc import Mapping, Sequence

import pytest

from pipeline.draw.draw_shard import draw_each
from pipeline.outcome import Outcome
from pipeline.picture import PictureError
from sketch_models.errors import ConfigError


def draw_ids(
    ids: Sequence[int],
    *,
    load: Mapping[int, Exception] = {},
    draw: Mapping[int, Exception] = {},
    save: Mapping[int, Exception] = {},
    batches: list[list[int]] | None = None,
) -> list[str]:
    """Draw in batches of three, with the given errors; return a code for each id."""

    def raise_for(errors: Mapping[int, Exception], number: int) -> int:
        if number in errors:
            raise errors[number]
        return number

    def draw_batch(batch: Sequence[int]) -> Sequence[int]:
        if batches is not None:
            batches.append(list(batch))
        return [raise_for(draw, number) for number in batch]

    items = draw_each(
        ids,
        load=lambda number: raise_for(load, number),
        draw=draw_batch,
        save=lambda number: raise_for(save, number),
        batch_size=3,
        threads=1,
    )
    found = []
    for number, (post_id, value) in zip(ids, items, strict=True):
        assert post_id == number
        assert isinstance(value, Outcome) or value == number
        found.append(value.code if isinstance(value, Outcome) else "ok")
    return found


@pytest.mark.parametrize("step", ["load", "draw", "save"])
@pytest.mark.parametrize("bad", [0, 3, 4, 6])
def test_error_is_a_row_of_its_picture(step: str, bad: int) -> None:
    expected = ["unexpected" if number == bad else "ok" for number in range(7)]
    assert draw_ids(range(7), **{step: {bad: ZeroDivisionError("by a library")}}) == expected
    expected = ["broken" if number == bad else "ok" for number in range(7)]
    assert draw_ids(range(7), **{step: {bad: PictureError("broken")}}) == expected


def test_pictures_are_drawn_alone_only_if_their_batch_fails() -> None:
    batches: list[list[int]] = []
    assert draw_ids(range(6), draw={4: RuntimeError()}, batches=batches)[4] == "unexpected"
    assert batches == [[0, 1, 2], [3, 4, 5], [3], [4], [5]]


@pytest.mark.parametrize("step", ["load", "draw", "save"])
@pytest.mark.parametrize("error", [OSError(28, "full"), MemoryError(), ConfigError("x")])
def test_errors_of_the_machine_end_the_run(step: str, error: Exception) -> None:
    with pytest.raises(type(error)):
        draw_ids(range(7), **{step: {4: error}})
