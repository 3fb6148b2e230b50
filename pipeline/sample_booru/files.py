"""Picture files, in the formats of a booru."""

from __future__ import annotations

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.sample_booru.artist.draw import Drawing


def encode(drawing: Drawing, file_format: str, quality: int = 92) -> bytes:
    """Encode a drawing as a file.

    Args:
        drawing: what to encode.
        file_format: `jpg`, `png`, `png_alpha` (paper around the figure is transparent) or
            `png_palette`.
        quality: quality of a JPEG, 1 to 100.
    """
    if file_format == "jpg":
        return _encode_opencv(".jpg", drawing.color[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if file_format == "png":
        return _encode_opencv(".png", drawing.color[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if file_format == "png_alpha":
        bgra = np.dstack([drawing.color[..., ::-1], _opacity(drawing.color)])
        return _encode_opencv(".png", bgra, [cv2.IMWRITE_PNG_COMPRESSION, 3])
    picture = Image.fromarray(drawing.color).quantize(128, method=Image.Quantize.FASTOCTREE)
    content = io.BytesIO()
    picture.save(content, "PNG", compress_level=3)
    return content.getvalue()


def _encode_opencv(suffix: str, picture: NDArray[np.uint8], settings: list[int]) -> bytes:
    encoded, content = cv2.imencode(suffix, picture, settings)
    assert encoded
    return content.tobytes()


def _opacity(color: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return (H, W) uint8: 0 on the pure white that is connected to a top corner, else 255."""
    white = np.where((color == 255).all(axis=2), 255, 0).astype(np.uint8)
    height, width = white.shape
    mask = np.zeros((height + 2, width + 2), np.uint8)
    for corner in ((0, 0), (width - 1, 0)):
        if white[corner[1], corner[0]]:
            cv2.floodFill(white, mask, corner, (1,))
    return np.where(mask[1:-1, 1:-1] > 0, 0, 255).astype(np.uint8)
