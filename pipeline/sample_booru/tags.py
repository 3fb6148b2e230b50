"""The tags of what a drawing shows, in Danbooru's vocabulary."""

from __future__ import annotations

from pipeline.sample_booru.artist.background import plain_color
from pipeline.sample_booru.artist.character import Character, Face, Hair, Outfit
from pipeline.sample_booru.artist.palette import NAMES
from pipeline.sample_booru.artist.pattern import print_of
from pipeline.sample_booru.artist.wardrobe import short_sleeves

_HAIR_STYLES = {
    "loose": [],
    "ponytail": ["ponytail"],
    "twintails": ["twintails", "hair_bow"],
    "low_twintails": ["low_twintails", "twintails"],
    "braid": ["braid", "single_braid"],
    "double_bun": ["double_bun", "hair_bun"],
    "two_side_up": ["two_side_up", "hair_bow"],
}
_BANGS = {
    "choppy": ["bangs"],
    "swept": ["bangs", "swept_bangs"],
    "parted": ["parted_bangs"],
    "blunt": ["bangs", "blunt_bangs"],
}
_MOUTHS = {
    "smile": ["closed_mouth", "smile"],
    "grin": ["grin", "open_mouth", "smile", "teeth"],
    "open": ["open_mouth", "smile", "teeth"],
    "frown": ["closed_mouth", "frown"],
    "flat": ["closed_mouth", "expressionless"],
    "cat": [":3", "closed_mouth"],
    "small": ["open_mouth", ":o"],
}
_EYE_STATES = {
    "open": [],
    "closed": ["closed_eyes"],
    "wink": ["one_eye_closed"],
    "half": ["half-closed_eyes"],
}
_TOPS = {
    "serafuku": ["sailor_collar", "school_uniform", "serafuku"],
    "blazer": ["blazer", "collared_shirt", "jacket", "shirt"],
    "hoodie": ["drawstring", "hood", "hood_down", "hoodie"],
    "sundress": ["bare_shoulders", "collarbone", "dress", "sundress"],
    "kimono": ["japanese_clothes", "kimono", "obi", "sash", "wide_sleeves"],
    "sweater": ["sweater", "turtleneck", "turtleneck_sweater"],
    "shirt": ["buttons", "collared_shirt", "shirt"],
    "coat": ["buttons", "coat"],
}
_NECKS = {
    "ribbon": ["bow", "bowtie"],
    "necktie": ["necktie"],
    "scarf": ["scarf"],
    "choker": ["choker", "black_choker"],
    "none": [],
}
_ACCESSORIES = {
    "none": [],
    "bow": ["bow", "hair_bow"],
    "hairband": ["bow", "hairband"],
    "beret": ["beret", "hat"],
    "straw_hat": ["hat", "straw_hat", "hat_ribbon"],
    "headphones": ["headphones"],
    "flower": ["flower", "hair_flower", "hair_ornament"],
    "cat_ears": ["animal_ears", "cat_ears"],
    "hairclip": ["hair_ornament", "hairclip"],
}
_BACKGROUNDS = {
    "white": ["simple_background", "white_background"],
    "gradient": ["gradient", "gradient_background"],
    "dots": ["polka_dot", "polka_dot_background"],
    "sky": ["blue_sky", "cloud", "day", "outdoors", "sky"],
    "stripes": ["striped", "striped_background"],
    "petals": ["cherry_blossoms", "petals"],
}
_PRINTS = {
    "none": [],
    "stripes": ["striped_clothes", "striped_sweater"],
    "diamonds": ["argyle_clothes", "argyle_sweater"],
    "band": [],
    "star": ["star_(symbol)", "star_print"],
    "dots": ["polka_dot", "polka_dot_dress"],
    "flowers": ["floral_print"],
}
_BELOW_A_PORTRAIT = {"obi", "sash", "wide_sleeves", "buttons", "short_sleeves", "long_sleeves"}
_BELOW_A_PORTRAIT |= {tag for tags in _PRINTS.values() for tag in tags}
_LEGWEAR = {
    "socks": ["socks", "white_legwear"],
    "kneehighs": ["black_legwear", "kneehighs"],
    "thighhighs": ["black_legwear", "thighhighs"],
    "pantyhose": ["black_legwear", "pantyhose"],
}


def visible_tags(person: Character) -> list[str]:
    """Return the tags of everything that the drawing of a person shows, sorted, each once."""
    tags = {"solo", person.framing}
    tags |= {"1girl"} if person.girl else {"1boy", "male_focus"}
    tags |= set(_hair_tags(person.hair)) | set(_face_tags(person.face))
    tags |= set(_outfit_tags(person.outfit, short_sleeves(person)))
    tags |= set(_PRINTS[print_of(person)])
    tags |= set(_lower_tags(person)) | set(_arm_tags(person))
    if person.background == "plain":
        tags |= {"simple_background", plain_color(person)}
    else:
        tags |= set(_BACKGROUNDS[person.background])
    if person.framing == "portrait":
        tags -= _BELOW_A_PORTRAIT
    return sorted(tags)


def _hair_tags(hair: Hair) -> list[str]:
    tags = [hair.color, hair.length, *_HAIR_STYLES[hair.style], *_BANGS[hair.bangs]]
    return [*tags, "ahoge"] if hair.ahoge else tags


def _face_tags(face: Face) -> list[str]:
    tags = [*_MOUTHS[face.mouth], *_EYE_STATES[face.state]]
    if face.state != "closed":
        tags.append(face.eyes)
        tags.append("looking_at_viewer" if face.gaze == (0.0, 0.0) else "looking_to_the_side")
    named = {
        "blush": face.blush,
        "fang": face.fang,
        "mole": face.mole,
        "mole_under_eye": face.mole,
        "glasses": face.glasses,
        "dark_skin": face.skin == "dark",
        "tan": face.skin == "tan",
    }
    return tags + [tag for tag, visible in named.items() if visible]


def _outfit_tags(outfit: Outfit, short: bool) -> list[str]:
    tags = [*_TOPS[outfit.top], *_NECKS[outfit.neck], *_ACCESSORIES[outfit.accessory]]
    main, second, _ = (NAMES.get(color, color) for color in outfit.colors)
    if outfit.top in ("shirt", "serafuku"):
        tags.append(f"{second}_shirt")
    else:
        tags.append(f"{main}_{'jacket' if outfit.top == 'blazer' else _noun(outfit.top)}")
    if outfit.top != "sundress":
        tags.append("short_sleeves" if short else "long_sleeves")
    return tags


def _noun(top: str) -> str:
    return "dress" if top == "sundress" else top


def _lower_tags(person: Character) -> list[str]:
    """Return the tags of the lower body, most of which few framings show."""
    outfit = person.outfit
    tags: list[str] = []
    if person.framing not in ("cowboy_shot", "full_body"):
        return tags
    if outfit.top not in ("sundress", "kimono", "coat"):
        tags += ["pleated_skirt", "skirt"] if outfit.bottom == "pleated_skirt" else []
        tags += ["long_skirt", "skirt"] if outfit.bottom == "long_skirt" else []
        tags += [outfit.bottom] if outfit.bottom in ("pants", "shorts") else []
    if person.framing == "full_body":
        tags += [outfit.shoes, "standing"]
        tags += ["shoes"] if outfit.shoes != "boots" else []
        covered = outfit.top == "kimono" or outfit.bottom == "pants" or outfit.shoes == "boots"
        if not covered:
            tags += _LEGWEAR[outfit.legwear]
    return tags


def _arm_tags(person: Character) -> list[str]:
    if person.framing == "portrait":
        return []
    tags = []
    if person.arms == ("back", "back"):
        tags.append("arms_behind_back")
    if "wave" in person.arms:
        tags += ["hand_up", "waving"]
    if "hip" in person.arms and person.framing != "upper_body":
        tags.append("hands_on_hips" if person.arms == ("hip", "hip") else "hand_on_hip")
    if "chest" in person.arms:
        tags.append("hand_on_own_chest")
    return tags
