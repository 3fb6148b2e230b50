"""The section `[export]`."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.export.formats import FORMATS
from sketch_models.option import Options, option
from sketch_models.styles import STYLES

TAG_KINDS = ("general", "character", "copyright", "artist", "meta")
"""Kinds of tags; a tag that no source has named as one of the others is a general one."""

_MIN_SIZE = 16  # pixels


@dataclass(frozen=True, kw_only=True)
class ExportOptions(Options, section="export"):
    """An export."""

    format: str = option(
        "imagefolder",
        "files and metadata.jsonl (imagefolder), tar files (webdataset), Parquet files (parquet), "
        "for diffusers' ControlNet training (controlnet), or folders of equal names (folders)",
        choices=tuple(FORMATS),
    )
    size: int = option(
        0,
        "side of the square, or long side, in pixels; 0: as the picture is",
        at_least=0,
        at_most=8192,
        unit="pixels",
    )
    shape: str = option(
        "own",
        "own: the picture's aspect, never enlarged; pad: the whole picture in a square, on white; "
        "crop: its middle square",
        choices=("own", "pad", "crop"),
    )
    lines: tuple[str, ...] = option(
        ("original",), "styles of line art", choices=STYLES, unique=True
    )
    sketches: tuple[str, ...] = option((), "styles of sketches", choices=STYLES, unique=True)
    variant: str = option(
        "",
        "variant of line art, such as tracer_512, if there are several; all if empty",
    )
    ink: str = option(
        "auto",
        "colour of the lines, black on white or white on black; auto: white for controlnet",
        choices=("auto", "black", "white"),
    )
    picture: str = option(
        "png", "file type of the colour pictures; lines are PNG", choices=("png", "jpg", "webp")
    )
    quality: int = option(95, "quality of jpg and webp, 1 to 100", at_least=1, at_most=100)
    caption_kinds: tuple[str, ...] = option(
        ("general", "character", "copyright", "artist"),
        "kinds of tags in a caption; tags of unknown kind are general ones; none: no tags",
        choices=TAG_KINDS,
        unique=True,
    )
    caption_order: str = option(
        "post",
        "order of the tags: post: as the post has them; sorted: by the alphabet; kinds: kind by "
        "kind, as caption_kinds lists them",
        choices=("post", "sorted", "kinds"),
    )
    caption_underscores: bool = option(
        False, "keep underscores inside of tags; false: spaces, but in emoticons such as ^_^"
    )
    caption_separator: str = option(
        "comma", "between two tags: a comma and a space, or a space", choices=("comma", "space")
    )
    caption_prefix: str = option("", "text at the beginning of every caption, such as a trigger")
    pictures_per_file: int = option(
        1000, "pictures in a tar or Parquet file, and in a part that a re-run keeps", at_least=1
    )
    threads: int = option(
        0,
        "pictures exported in parallel; 0: one per core",
        affects_result=False,
        at_least=0,
        at_most=256,
    )

    def __post_init__(self) -> None:
        """Check every value, and that the format can hold what is chosen."""
        super().__post_init__()
        fixed = self.shape == "own"
        self.require(
            self.size >= _MIN_SIZE or (fixed and not self.size),
            "size",
            f"{_MIN_SIZE} pixels or more{', or 0' if fixed else f' with shape = {self.shape}'}",
        )
        self.require(
            bool(self.lines or self.sketches),
            "lines",
            f"one or more of {', '.join(STYLES)}, or some sketches",
        )
        target = FORMATS[self.format]
        if target.only_map:
            self.require(
                len(self.lines) + len(self.sketches) == 1,
                "lines",
                f"one style of lines or of sketches with format = {self.format}, "
                "which has one drawing per picture",
                " ".join((*self.lines, *(f"and sketches {style}" for style in self.sketches))),
            )
        self.require(
            self.picture in target.pictures,
            "picture",
            f"{' or '.join(target.pictures)} with format = {self.format}",
        )

    @property
    def white_lines(self) -> bool:
        """Whether lines are white on black."""
        return FORMATS[self.format].white_lines if self.ink == "auto" else self.ink == "white"
