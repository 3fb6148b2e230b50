"""Pictures as files."""

import io

import numpy as np
import pytest
from PIL import Image


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """A small picture as `jpg`, `png` and `gif`."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    made = {}
    for name, kind in (("jpg", "JPEG"), ("png", "PNG"), ("gif", "GIF")):
        buffer = io.BytesIO()
        picture.save(buffer, kind)
        made[name] = buffer.getvalue()
    return made
