"""Load, draw and save the pictures of a shard in parallel, for sketching and simplifying."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

from pipeline.outcome import OK, DrawnOutcome, Outcome
from pipeline.picture import PictureError, keep_freed_memory
from pipeline.progress import OnProgress
from pipeline.shard import TarSample, digests_of, write_shard
from pipeline.thread_map import thread_map
from pipeline.unexpected import OF_THE_MACHINE, as_picture_error
from sketch_models.cores import available_cores

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
T = TypeVar("T")
Item = tuple[int, T | Outcome]
"""An id, and its intermediate result, or the outcome if it has failed."""


def draw_shard(
    ids: Iterable[int],
    target: Path,
    *,
    load: Callable[[int], A],
    draw: Callable[[Sequence[A]], Sequence[B]],
    save: Callable[[B], Mapping[str, bytes]],
    batch_size: int,
    threads: int,
    on_progress: OnProgress,
) -> list[DrawnOutcome]:
    """Write a shard of drawings; a picture that fails becomes an outcome.

    Args:
        ids: the posts, in the order to write them.
        target: the tar file to write.
        load: reads a picture; may raise PictureError.
        draw: draws a batch; called from several threads.
        save: encodes the parts of a sample; may raise PictureError.
        batch_size: pictures per batch.
        threads: number of batches drawn at the same time.
        on_progress: called with the number of pictures done.

    Returns:
        One outcome per post id.
    """
    items = draw_each(ids, load=load, draw=draw, save=save, batch_size=batch_size, threads=threads)
    outcomes: list[DrawnOutcome] = []
    write_shard(target, _samples(items, outcomes, on_progress))
    return outcomes


def draw_each(
    ids: Iterable[int],
    *,
    load: Callable[[int], A],
    draw: Callable[[Sequence[A]], Sequence[B]],
    save: Callable[[B], C],
    batch_size: int,
    threads: int,
) -> Iterator[Item[C]]:
    """Yield what `save` returns for each picture, or its outcome if it has failed.

    Pictures are loaded, drawn and saved on separate threads, a few ahead of one another, so that no
    core waits for another and memory does not depend on their number. A picture that fails does
    not stop the others.

    Args:
        ids: of the pictures, in the order of the result.
        load: reads a picture; may raise PictureError.
        draw: draws a batch; called from several threads.
        save: encodes or writes a drawing; may raise PictureError.
        batch_size: pictures per batch.
        threads: number of batches drawn at the same time.
    """
    keep_freed_memory()
    cores = available_cores()
    loaded = thread_map(partial(_apply, load), ((each, each) for each in ids), cores)
    drawn = thread_map(partial(_draw_batch, draw), _batches(loaded, batch_size), threads)
    yield from thread_map(partial(_apply, save), (item for batch in drawn for item in batch), cores)


def _apply(function: Callable[[A], B], item: Item[A]) -> Item[B]:
    """Apply a function to an item's value, unless the item has failed."""
    number, value = item
    if isinstance(value, Outcome):
        return number, value
    try:
        with as_picture_error(number):
            return number, function(value)
    except PictureError as error:
        return number, Outcome(number, error.code, error.detail)


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    batch: list[T] = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _draw_batch(
    draw: Callable[[Sequence[A]], Sequence[B]], batch: Sequence[Item[A]]
) -> list[Item[B]]:
    values = [value for _, value in batch if not isinstance(value, Outcome)]
    try:
        drawn = iter(draw(values))
    except OF_THE_MACHINE:
        raise
    except Exception:  # noqa: BLE001, RUF100 - one of them, perhaps, which is found one by one
        return [_apply(lambda value: draw([value])[0], item) for item in batch]
    return [
        (number, value if isinstance(value, Outcome) else next(drawn)) for number, value in batch
    ]


def _samples(
    items: Iterable[Item[Mapping[str, bytes]]],
    outcomes: list[DrawnOutcome],
    on_progress: OnProgress,
) -> Iterator[TarSample]:
    """Yield the samples to write, and append an outcome per item."""
    for post_id, value in items:
        if isinstance(value, Outcome):
            outcomes.append(DrawnOutcome(value.id, value.code, value.detail))
        else:
            outcomes.append(DrawnOutcome(post_id, OK, sha256=digests_of(value)))
            yield post_id, value
        on_progress(1)
