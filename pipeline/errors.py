"""The one error that stops a run; the same as that of the sketch models."""

from __future__ import annotations

from sketch_models.errors import SengaError

__all__ = ["SengaError"]
