"""Networks and filters that draw: colour picture to sketch, sketch to clean line art.

    import sketch_models

    (ink,) = sketch_models.load("tracer").lines([picture])
    sketch = sketch_models.ink_to_sketch(ink, "original")
    (line_art,) = sketch_models.load("inker").simplify([sketch])

Each name is loaded when it is first used, so that importing the package loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sketch_models.loader import load
    from sketch_models.styles import STYLES, ink_to_sketch

__all__ = ["STYLES", "ink_to_sketch", "load"]

_MODULES = {
    "STYLES": "sketch_models.styles",
    "ink_to_sketch": "sketch_models.styles",
    "load": "sketch_models.loader",
}

if not TYPE_CHECKING:  # a type checker would accept any name

    def __getattr__(name: str) -> Any:  # noqa: ANN401 - any of the names
        """Load a name of the package when it is first used."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_MODULES[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """Return the names of the module, loaded or not."""
    return sorted({*globals(), *__all__})
