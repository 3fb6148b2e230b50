"""Drawings: pictures come in, their sketches and clean line art go out."""
