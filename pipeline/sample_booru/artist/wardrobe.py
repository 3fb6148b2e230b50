"""The fabrics and the sleeves of an outfit."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.palette import FABRICS, Material, material


@dataclass(frozen=True)
class Fabrics:
    """The fabrics of an outfit."""

    main: Material
    second: Material
    accent: Material


@dataclass(frozen=True)
class Sleeve:
    """A sleeve: its fabric, its length along the arm (0 to 1), how loose it is, its cuff."""

    fabric: Material
    length: float
    ease: float
    flare: float = 0.0
    cuff: Material | None = None

    @property
    def long(self) -> bool:
        """Whether it covers the forearm."""
        return self.length > 0.6


def outfit_fabrics(person: Character) -> Fabrics:
    """Return the fabrics of a person's outfit."""
    main, second, accent = (material(FABRICS[name], 0.2) for name in person.outfit.colors)
    return Fabrics(main, second, accent)


def short_sleeves(person: Character) -> bool:
    """Return whether the sleeves end above the elbow."""
    return person.outfit.top in ("serafuku", "shirt") and person.outfit.short


def outfit_sleeve(person: Character, fabrics: Fabrics) -> Sleeve | None:
    """Return the sleeves of the outfit, or None for bare arms."""
    short = short_sleeves(person)
    kinds = {
        "serafuku": Sleeve(fabrics.second, 0.32 if short else 0.93, 0.09, 0.05, fabrics.main),
        "blazer": Sleeve(fabrics.main, 0.95, 0.07, 0.02),
        "hoodie": Sleeve(fabrics.main, 0.97, 0.12, 0.05, fabrics.main),
        "sundress": None,
        "kimono": Sleeve(fabrics.main, 0.86, 0.10, 0.62),
        "sweater": Sleeve(fabrics.main, 0.98, 0.09, 0.03, fabrics.main),
        "shirt": Sleeve(
            fabrics.second, 0.36 if short else 0.94, 0.07, 0.04, None if short else fabrics.second
        ),
        "coat": Sleeve(fabrics.main, 0.96, 0.13, 0.06, fabrics.second),
    }
    return kinds[person.outfit.top]
