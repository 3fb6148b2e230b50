"""Draws illustrations with known line art and serves them on the loopback like Safebooru does."""

from __future__ import annotations

from pipeline.sample_booru.artist.draw import Drawing, draw
from pipeline.sample_booru.catalogue import HOST, POSTS, write_csv
from pipeline.sample_booru.server import serve

__all__ = ["HOST", "POSTS", "Drawing", "draw", "serve", "write_csv"]
