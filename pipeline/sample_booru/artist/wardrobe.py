"""The cloths and the sleeves of an outfit."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.sample_booru.artist.character import Character
from pipeline.sample_booru.artist.palette import CLOTH, Material, material


@dataclass(frozen=True)
class Wardrobe:
    """The cloths of an outfit."""

    main: Material
    second: Material
    accent: Material


@dataclass(frozen=True)
class Sleeve:
    """A sleeve: its cloth, how far along the arm it comes (0 to 1), how loose it is, its cuff."""

    cloth: Material
    length: float
    ease: float
    flare: float = 0.0
    cuff: Material | None = None

    @property
    def long(self) -> bool:
        """Whether it covers the forearm."""
        return self.length > 0.6


def wardrobe(person: Character) -> Wardrobe:
    """The cloths that a person wears."""
    main, second, accent = (material(CLOTH[name], 0.2) for name in person.outfit.colors)
    return Wardrobe(main, second, accent)


def short_sleeves(person: Character) -> bool:
    """Whether the sleeves end above the elbow."""
    return person.outfit.top in ("serafuku", "shirt") and person.outfit.short


def sleeve(person: Character, cloths: Wardrobe) -> Sleeve | None:
    """The sleeves of the outfit; None for bare arms."""
    short = short_sleeves(person)
    kinds = {
        "serafuku": Sleeve(cloths.second, 0.32 if short else 0.93, 0.09, 0.05, cloths.main),
        "blazer": Sleeve(cloths.main, 0.95, 0.07, 0.02),
        "hoodie": Sleeve(cloths.main, 0.97, 0.12, 0.05, cloths.main),
        "sundress": None,
        "kimono": Sleeve(cloths.main, 0.86, 0.10, 0.62),
        "sweater": Sleeve(cloths.main, 0.98, 0.09, 0.03, cloths.main),
        "shirt": Sleeve(
            cloths.second, 0.36 if short else 0.94, 0.07, 0.04, None if short else cloths.second
        ),
        "coat": Sleeve(cloths.main, 0.96, 0.13, 0.06, cloths.second),
    }
    return kinds[person.outfit.top]
