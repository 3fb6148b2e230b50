"""A board of drawn illustrations with known line art, served on the loopback like Safebooru."""

from __future__ import annotations

from pipeline.sample_booru.artist.draw import Drawing, draw
from pipeline.sample_booru.catalogue import HOST, POSTS, write_csv
from pipeline.sample_booru.server import serve

__all__ = ["HOST", "POSTS", "Drawing", "draw", "serve", "write_csv"]
