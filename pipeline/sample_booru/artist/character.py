"""Characters: everything that decides a drawing, chosen by post id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.sample_booru.artist.palette import EYES, HAIR, OUTFITS


@dataclass(frozen=True, kw_only=True)
class Hair:
    """Hair; lengths in head units, two of which are about the height of a head."""

    color: str
    tone: str
    length: str  # short_hair, medium_hair, long_hair, very_long_hair
    style: str  # loose, ponytail, twintails, low_twintails, braid, double_bun, two_side_up
    bangs: str  # choppy, swept, parted, blunt
    side: float  # -1 or 1: side of the parting and of one-sided accessories
    wave: float  # 0 straight to 1
    lock: float  # lower end of the side locks
    ahoge: bool


@dataclass(frozen=True, kw_only=True)
class Face:
    """Face and expression; gaze in eye widths."""

    skin: str
    eyes: str
    shape: str  # round, sharp, gentle
    state: str  # open, closed, wink, half
    mouth: str  # smile, grin, open, frown, flat, cat, small
    gaze: tuple[float, float]
    brow: float  # -1 worried to 1 angry
    blush: bool
    fang: bool
    mole: bool
    glasses: bool


@dataclass(frozen=True, kw_only=True)
class Outfit:
    """Clothes; colours are keys of `palette.FABRICS`."""

    short: bool  # sleeves, if the garment has short and long ones
    top: str  # serafuku, blazer, hoodie, sundress, kimono, sweater, shirt, coat
    bottom: str  # pleated_skirt, pants, shorts, long_skirt
    legwear: str  # none, socks, kneehighs, thighhighs, pantyhose
    shoes: str  # loafers, boots, sneakers
    neck: str  # ribbon, necktie, scarf, choker, none
    colors: tuple[str, str, str]
    accessory: str  # none, bow, hairband, beret, straw_hat, headphones, flower, cat_ears, hairclip


@dataclass(frozen=True, kw_only=True)
class Character:
    """Everything that decides a drawing; angles in radians."""

    id: int
    seed: int
    girl: bool
    hair: Hair
    face: Face
    outfit: Outfit
    framing: str  # portrait, upper_body, cowboy_shot, full_body
    background: str
    width: int  # of the picture, in pixels
    height: int
    yaw: float  # of the head: positive looks to the right of the picture
    nod: float
    tilt: float
    turn: float  # of the body, -1 to 1
    sway: float  # shift of the hips, -1 to 1
    lean: float  # rotation of the whole figure
    wind: float  # in the hair, -1 to 1
    zoom: float  # 1 shows exactly the framing
    aside: float  # offset of the figure from the middle, in widths of the picture
    arms: tuple[str, str]  # left and right of the picture: down, back, hip, pocket, wave, chest

    def generator(self, part: str) -> np.random.Generator:
        """Return a random generator for one part, independent of the other parts."""
        return np.random.Generator(np.random.PCG64([self.seed, self.id, *part.encode()]))


def pick(rng: np.random.Generator, choices: Mapping[str, float]) -> str:
    """Return one of the names, drawn by weight."""
    weights = np.array(list(choices.values()))
    return list(choices)[int(np.searchsorted(np.cumsum(weights) / weights.sum(), rng.random()))]


def _any(rng: np.random.Generator, choices: Sequence[str]) -> str:
    return choices[int(rng.integers(len(choices)))]


def _chance(rng: np.random.Generator, share: float) -> bool:
    return bool(rng.random() < share)


def _hair(rng: np.random.Generator, girl: bool) -> Hair:
    color = pick(
        rng,
        {
            "black_hair": 1.6, "brown_hair": 2.0, "blonde_hair": 2.0, "blue_hair": 1.6,
            "aqua_hair": 0.8, "pink_hair": 1.6, "purple_hair": 1.3, "red_hair": 1.1,
            "green_hair": 0.9, "orange_hair": 0.8, "grey_hair": 1.0, "white_hair": 0.9,
        },
    )  # fmt: skip
    if girl:
        length = pick(
            rng, {"short_hair": 1, "medium_hair": 1.2, "long_hair": 2, "very_long_hair": 0.5}
        )
    else:
        length = pick(rng, {"short_hair": 6, "medium_hair": 1})
    style = "loose"
    if girl and length in ("long_hair", "very_long_hair"):
        style = pick(
            rng,
            {"loose": 2.4, "twintails": 1.4, "ponytail": 1.3, "low_twintails": 0.8, "braid": 0.8,
             "two_side_up": 0.7},
        )  # fmt: skip
    elif girl:
        style = pick(rng, {"loose": 3, "double_bun": 0.6, "two_side_up": 0.5})
    bangs = pick(rng, {"choppy": 2, "swept": 1.5, "parted": 0.9, "blunt": 0.8 if girl else 0.1})
    return Hair(
        color=color,
        tone=_any(rng, HAIR[color]),
        length=length,
        style=style,
        bangs=bangs,
        side=1.0 if _chance(rng, 0.5) else -1.0,
        wave=float(rng.random() ** 1.5),
        lock=float(rng.uniform(0.75, 1.3) + (rng.uniform(0, 1.0) if girl else -0.25)),
        ahoge=_chance(rng, 0.15),
    )


def _face(rng: np.random.Generator, girl: bool) -> Face:
    gaze = (0.0, 0.0)
    if _chance(rng, 0.3):
        gaze = (
            float(rng.choice([-1.0, 1.0]) * rng.uniform(0.14, 0.26)),
            float(rng.uniform(-0.08, 0.1)),
        )
    mouth = pick(
        rng,
        {"smile": 3, "grin": 1.0, "open": 1.8, "frown": 0.5, "flat": 0.9, "cat": 0.4, "small": 0.8},
    )
    return Face(
        skin=pick(rng, {"fair": 4, "warm": 3, "tan": 0.6, "dark": 0.5}),
        eyes=_any(rng, list(EYES)),
        shape=pick(rng, {"round": 2, "sharp": 1.2, "gentle": 1.2}),
        state=pick(rng, {"open": 8, "closed": 1, "wink": 0.6, "half": 0.8}),
        mouth=mouth,
        gaze=gaze,
        brow=float(np.clip(rng.normal(-0.1, 0.4), -1, 1)),
        blush=_chance(rng, 0.45 if girl else 0.15),
        fang=mouth in ("grin", "open") and _chance(rng, 0.25),
        mole=_chance(rng, 0.07),
        glasses=_chance(rng, 0.14),
    )


_TOPS_GIRL = {
    "serafuku": 1.6, "blazer": 1.3, "hoodie": 1, "sundress": 1.1, "kimono": 0.8, "sweater": 0.9,
    "shirt": 1, "coat": 0.6,
}  # fmt: skip
_TOPS_BOY = {"blazer": 1.4, "hoodie": 1.3, "kimono": 0.6, "sweater": 0.9, "shirt": 1.3, "coat": 0.8}
_NECKS: dict[str, dict[str, float]] = {
    "serafuku": {"ribbon": 1, "necktie": 1},
    "blazer": {"ribbon": 1, "necktie": 1.4},
    "shirt": {"ribbon": 1, "necktie": 1, "none": 1},
    "coat": {"scarf": 2, "none": 1},
    "hoodie": {"none": 3, "choker": 1},
    "sundress": {"choker": 1, "none": 2},
    "sweater": {"none": 1},
    "kimono": {"none": 1},
}


def _outfit(rng: np.random.Generator, girl: bool, hair: Hair) -> Outfit:
    top = pick(rng, _TOPS_GIRL if girl else _TOPS_BOY)
    neck = pick(rng, _NECKS[top])
    if neck == "ribbon" and not girl:
        neck = "necktie"
    if top == "serafuku":
        bottom = "pleated_skirt"
    elif top == "coat":
        bottom = pick(rng, {"pleated_skirt": 1, "pants": 1}) if girl else "pants"
    elif girl:
        bottom = pick(rng, {"pleated_skirt": 2, "shorts": 1, "long_skirt": 0.7, "pants": 0.8})
    else:
        bottom = pick(rng, {"pants": 4, "shorts": 1})
    legwear = pick(
        rng,
        {"socks": 1, "kneehighs": 1.2, "thighhighs": 1.2, "pantyhose": 0.8}
        if girl
        else {"socks": 1},
    )
    hats = {"none": 5.0, "hairclip": 1.2, "beret": 0.7, "headphones": 0.5, "cat_ears": 0.8}
    if girl:
        hats |= {"bow": 1.5, "hairband": 1.2, "flower": 1.2, "straw_hat": 0.6}
    if hair.style in ("double_bun", "two_side_up", "twintails"):
        hats = {"none": 4.0, "hairclip": 1.2, "cat_ears": 0.4 if hair.style == "twintails" else 0.0}
    return Outfit(
        short=_chance(rng, 0.45),
        top=top,
        bottom=bottom,
        legwear=legwear,
        shoes=pick(rng, {"loafers": 1.2, "boots": 1, "sneakers": 1}),
        neck=neck,
        colors=OUTFITS[int(rng.integers(len(OUTFITS)))],
        accessory=pick(rng, hats),
    )


_SIZES = {
    "portrait": ((800, 800), (850, 1000), (720, 900), (1000, 1000)),
    "upper_body": ((850, 1200), (800, 1130), (700, 990), (900, 1200), (850, 1063), (1000, 1000),
                   (1200, 900), (750, 1060), (660, 900)),
    "cowboy_shot": ((850, 1200), (724, 1024), (700, 1100), (800, 1200)),
    "full_body": ((600, 1200), (850, 1200), (650, 1150), (700, 1200), (800, 1300), (636, 900)),
}  # fmt: skip


def _arms(rng: np.random.Generator, top: str, framing: str) -> tuple[str, str]:
    choices = {"down": 3.0, "back": 1.6, "hip": 1.0, "wave": 0.7, "chest": 0.5}
    if top in ("hoodie", "coat"):
        choices["pocket"] = 2.5
    if top == "kimono":
        del choices["chest"]
    left, right = pick(rng, choices), pick(rng, choices)
    if left == right == "wave" or (framing == "portrait" and "wave" in (left, right)):
        return "down", "back"
    return left, right


def character(post_id: int, seed: int = 0) -> Character:
    """Return the character of a post, the same on every machine."""
    rng = np.random.Generator(np.random.PCG64([seed, post_id]))
    girl = _chance(rng, 0.8)
    hair = _hair(rng, girl)
    face = _face(rng, girl)
    outfit = _outfit(rng, girl, hair)
    framing = pick(rng, {"upper_body": 6, "full_body": 1.8, "cowboy_shot": 0.8, "portrait": 0.6})
    sizes = _SIZES[framing]
    width, height = sizes[int(rng.integers(len(sizes)))]
    yaw = float(np.clip(rng.normal(0, 0.26), -0.44, 0.44))
    background = "white"
    if _chance(rng, 0.24):
        background = pick(
            rng, {"plain": 2, "gradient": 1.2, "dots": 0.8, "sky": 1.2, "stripes": 0.6, "petals": 1}
        )
    return Character(
        id=post_id,
        seed=seed,
        girl=girl,
        hair=hair,
        face=face,
        outfit=outfit,
        framing=framing,
        background=background,
        width=width,
        height=height,
        yaw=yaw,
        nod=float(rng.normal(0, 0.06)),
        tilt=float(np.clip(rng.normal(0, 0.09), -0.2, 0.2)),
        turn=float(np.clip(yaw * 1.6 + rng.normal(0, 0.3), -1, 1)),
        sway=float(np.clip(rng.normal(0, 0.5), -1, 1)),
        lean=float(np.clip(rng.normal(0, 0.035), -0.08, 0.08)),
        wind=float(np.clip(rng.normal(0, 0.55), -1, 1)),
        zoom=float(
            rng.uniform(0.97, 1.16)
            if framing in ("upper_body", "portrait")
            else rng.uniform(0.95, 1.0)
        ),
        aside=float(np.clip(rng.normal(0, 0.03), -0.07, 0.07)),
        arms=_arms(rng, outfit.top, framing),
    )
