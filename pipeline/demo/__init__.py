"""The web demo: draw, put hints, get a painting."""
