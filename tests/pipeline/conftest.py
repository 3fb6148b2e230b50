"""A fixture of picture files."""

import io

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """Return a small picture as `jpg`, `png` and `gif`."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    encoded = {}
    for extension, file_format in (("jpg", "JPEG"), ("png", "PNG"), ("gif", "GIF")):
        buffer = io.BytesIO()
        picture.save(buffer, file_format)
        encoded[extension] = buffer.getvalue()
    return encoded
