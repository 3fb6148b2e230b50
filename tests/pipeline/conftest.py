"""A fixture of picture files."""

import io

import numpy as np
import pytest
from PIL import Image, features

from pipeline.picture_format import FORMATS


@pytest.fixture(scope="session")
def files() -> dict[str, bytes]:
    """Return a small picture in every format that Pillow has, by its extension."""
    pixels = np.random.default_rng(0).integers(0, 256, (40, 30, 3), dtype=np.uint8)
    picture = Image.fromarray(pixels)
    encoded = {}
    for extension, file_format in FORMATS.items():
        if extension == "avif" and not features.check("avif"):
            continue
        buffer = io.BytesIO()
        picture.save(buffer, file_format)
        encoded[extension] = buffer.getvalue()
    return encoded
