"""Read the pictures of a build, and encode them for an export; nothing is drawn."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from pipeline.export.caption import caption
from pipeline.export.drawings import Drawings
from pipeline.export.formats import FORMATS
from pipeline.export.options import ExportOptions
from pipeline.export.post import Post, read_posts
from pipeline.export.sample import Encoded, Sample
from pipeline.outcome import Outcome
from pipeline.pack.pack import OpenShard, ShardPaths, check_aspect, check_crop, check_ink
from pipeline.pack.square import Placement, resample
from pipeline.picture import PictureError, decode, encode_drawing_png, encode_png
from pipeline.thread_map import thread_map
from pipeline.unexpected import as_picture_error
from sketch_models.cores import available_cores

_Fit = Callable[[NDArray[np.uint8]], NDArray[np.uint8]]

_LONGEST_SIDE = {"jpg": 65_500, "webp": 16_383}
"""Of a picture, in pixels, that the encoder takes."""

_QUALITY = {"jpg": cv2.IMWRITE_JPEG_QUALITY, "webp": cv2.IMWRITE_WEBP_QUALITY}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What an export takes of every picture.

    Attributes:
        options: of the export.
        drawings: which drawings.
        with_links: whether the posts are on a board that a link can lead to.
    """

    options: ExportOptions
    drawings: Drawings
    with_links: bool = True


def read_samples(
    ids: Iterable[int], shards: Iterable[ShardPaths], plan: Plan
) -> Generator[Sample | Outcome, None, None]:
    """Yield a sample of every picture, or the outcome of one that cannot be exported.

    Shards are read one after the other and a few pictures at a time, so that memory does not
    depend on their number. Ids that no shard has are left out.

    Args:
        ids: of the posts.
        shards: in ascending order of post ids.
        plan: what to take of each picture.

    Raises:
        DamagedFileError: if a shard or a table is damaged.
    """
    selected = frozenset(ids)
    threads = plan.options.threads or available_cores()
    for paths in shards:
        posts = read_posts(paths.posts, selected)
        if posts:
            chosen = plan.drawings.paths(paths)
            with OpenShard(chosen, sketches=bool(plan.drawings.sketches)) as shard:
                yield from thread_map(partial(_read, shard, plan), posts.values(), threads)


def _read(shard: OpenShard, plan: Plan, post: Post) -> Sample | Outcome:
    try:
        with as_picture_error(post.id):
            return _make_sample(shard, plan, post)
    except PictureError as error:
        return Outcome(post.id, error.code, error.detail)


def _make_sample(shard: OpenShard, plan: Plan, post: Post) -> Sample:
    options, target = plan.options, FORMATS[plan.options.format]
    color = decode(shard.color(post.id))
    height, width = color.shape[:2]
    fit = _fit(width, height, options)
    fitted = fit(color)
    pictures = {target.color: _encode(fitted, options)}
    for name, pixels in shard.maps(post.id, plan.drawings.names):
        check_aspect(name, pixels, width, height)
        drawing = fit(pixels)
        if name.startswith("line/"):
            check_ink(name, drawing)
        drawing = 255 - drawing if options.white_lines else drawing
        if target.rgb_lines:
            drawing = np.repeat(drawing[..., None], 3, axis=2)
        pictures[plan.drawings.names[name]] = Encoded("png", encode_drawing_png(drawing))
    link = post.link if plan.with_links else ""
    return Sample(
        id=post.id,
        pictures=pictures,
        caption=caption(post, options),
        facts={
            "id": post.id,
            "width": fitted.shape[1],
            "height": fitted.shape[0],
            "tags": post.tags,
            "artist": post.artist,
            "character": post.character,
            "copyright": post.copyright,
            "meta": post.meta,
            "rating": post.rating,
            "link": link,
        },
        credit=(str(post.id), post.artist, link, post.source),
    )


def _fit(width: int, height: int, options: ExportOptions) -> _Fit:
    """Return a function that brings a picture and its drawings to the size of the export.

    Raises:
        PictureError: `too_narrow`.
    """
    if options.shape != "own":
        if options.shape == "crop":
            check_crop(width, height)
        return Placement.of(width, height, options.size, options.shape).to_square
    scale = min(1.0, (options.size or max(width, height)) / max(width, height))
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))

    def resize(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if picture.shape[:2] == (new_height, new_width):
            return picture
        return resample(picture, new_width, new_height)

    return resize


def _encode(picture: NDArray[np.uint8], options: ExportOptions) -> Encoded:
    """Encode a colour picture; a JPEG has its colours in full resolution.

    Raises:
        PictureError: `too_large` for the file type.
    """
    if options.picture == "png":
        return Encoded("png", encode_png(picture))
    height, width = picture.shape[:2]
    if max(width, height) > _LONGEST_SIDE[options.picture]:
        raise PictureError("too_large", f"{width} x {height} is too large for {options.picture}")
    settings = [_QUALITY[options.picture], options.quality]
    if options.picture == "jpg":
        settings += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    encoded, content = cv2.imencode(f".{options.picture}", bgr, settings)
    assert encoded
    return Encoded(options.picture, content.tobytes())
