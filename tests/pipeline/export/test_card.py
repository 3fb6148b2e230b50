"""The dataset card: its head, and what it says of pictures, recipe, funnel, credits and licence."""

from dataclasses import replace

import pytest

from pipeline.export.card import card
from pipeline.export.formats import FORMATS
from tests.pipeline.export.small_build import FACTS, plan_of

COUNTS = {"train": 1_200, "test": 100}


def text_of(drawn: bool = False, dropped: dict[str, int] | None = None, **options: object) -> str:
    return card(replace(FACTS, drawn=drawn), plan_of(**options), COUNTS, dropped or {})


def head_of(text: str) -> list[str]:
    before, head, _ = text.split("---\n", 2)
    assert before == ""
    return head.splitlines()


def test_head_is_what_the_hub_reads() -> None:
    assert head_of(text_of(format="parquet")) == [
        "pretty_name: small",
        "license: other",
        "task_categories: [image-to-image, text-to-image]",
        "tags: [line-art, colorization]",
        "size_categories: [1K<n<10K]",
        "configs:",
        "- config_name: default",
        "  data_files:",
        "  - split: train",
        "    path: data/train-*.parquet",
        "  - split: test",
        "    path: data/test-*.parquet",
    ]
    assert not any("configs" in line for line in head_of(text_of(format="folders")))
    assert "license: mit" in head_of(text_of(drawn=True))


@pytest.mark.parametrize(
    ("pictures", "category"),
    [(999, "n<1K"), (1_000, "1K<n<10K"), (99_999, "10K<n<100K"), (5_000_000, "1M<n<10M")],
)
def test_size_category_is_one_of_the_hub(pictures: int, category: str) -> None:
    text = card(FACTS, plan_of(), {"train": pictures, "test": 0}, {})
    assert f"size_categories: [{category}]" in head_of(text)


@pytest.mark.parametrize(
    "line",
    [
        "# small: colour pictures and their line art",
        "| train | 1,200 |",
        "| test | 100 |",
        "| `[filter] all_tags` | `solo` |",
        "| posts read | 10 | 0 |",
        "| download | 6 | 4 |",
        "| export | 1,300 | 7 |",
        "| blank_line | 7 | the line art is blank at the packed size |",
    ],
)
def test_card_has_counts_recipe_and_funnel(line: str) -> None:
    assert line in text_of(dropped={"blank_line": 7}).splitlines()


def test_card_without_losses_has_no_table_of_them() -> None:
    assert "Not exported" not in text_of()


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({}, "each with its drawing `line`"),
        (
            {"lines": ("original", "pured"), "sketches": ("pured",)},
            "each with its drawings `line_original`, `line_pured` and `sketch`",
        ),
        ({}, "They have the size of the posts' pictures. Lines are black on white"),
        ({"format": "controlnet", "size": 512}, "at most 512 pixels. Lines are white on black"),
        ({"shape": "pad", "size": 96}, "They are 96 pixels square, with white around"),
        ({"shape": "crop", "size": 96}, "the middle squares of the pictures, 96 pixels wide"),
    ],
)
def test_card_says_how_pictures_look(options: dict[str, object], sentence: str) -> None:
    assert sentence in text_of(**options).replace("\n", " ")


def test_licence_is_that_of_the_artists_unless_senga_has_drawn_the_pictures() -> None:
    theirs, ours = (text_of(drawn=drawn).replace("\n", " ") for drawn in (False, True))
    assert "belong to their artists" in theirs
    assert "gives no licence" in theirs
    assert "under the MIT licence of Senga" in ours
    assert "belong to" not in ours


def test_cell_does_not_end_at_a_bar() -> None:
    text = card(replace(FACTS, recipe={"[filter] all_tags": "||_||"}), plan_of(), COUNTS, {})
    assert r"| `[filter] all_tags` | `\|\|_\|\|` |" in text


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_says_how_to_load_it(name: str) -> None:
    loading = text_of(format=name).partition("## Load\n\n")[2].partition("\n\n## ")[0]
    word = {"webdataset": "webdataset", "folders": "train/sketch/"}.get(name, "load_dataset")
    assert word in loading
