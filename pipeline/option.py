"""Options of a stage; the same as those of the sketch models."""

from __future__ import annotations

from sketch_models.option import OptionError, option, require

__all__ = ["OptionError", "option", "require"]
