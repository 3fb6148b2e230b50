"""Metrics by row, and the sheet of samples."""

import numpy as np
import pytest
import torch
from torch import Tensor

from pipeline.line_training.evaluation import draw_sheet, evaluate, ink_probability
from pipeline.line_training.example import Example, draw_example
from sketch_models.unet import Unet
from tests.pipeline.line_training.conftest import CONTEXT

pytestmark = pytest.mark.usefixtures("artbook")


class Oracle(Unet):
    """A network that finds ink where a picture is darker than its surroundings."""

    def __init__(self) -> None:
        super().__init__(4, (2, 2, 2))

    def forward(self, picture: Tensor) -> Tensor:
        assert not any(side % 8 for side in picture.shape[2:])
        return -20 * (picture[:, :1] + 1)


def test_any_size_is_padded_and_cut() -> None:
    page = draw_example("tracer", 1, 64)
    whole = ink_probability(Oracle(), page.picture, CONTEXT)
    assert whole.shape == (64, 64)
    assert ((whole > 0.5) == (page.lines < 128)).mean() > 0.95
    assert ink_probability(Oracle(), page.picture[:45, :63], CONTEXT).shape == (45, 63)


def test_rows_are_means_of_their_examples() -> None:
    pages = [draw_example("tracer", seed, 64) for seed in range(3)]
    blank = np.zeros((48, 72), np.uint8)
    wrong = Example(
        rows=("picture/wrong",),
        picture=np.full((48, 72, 3), 200, np.uint8),
        lines=blank,
        weight=blank + 1,
    )
    metrics = evaluate(Oracle(), pages, [wrong], CONTEXT)
    assert list(metrics)[:2] == ["f1/artbook", "f1/pictures"]
    assert set(metrics) == {"f1/artbook", "f1/pictures", "f1/picture/wrong"} | {
        f"f1/{row}" for page in pages for row in page.rows
    }
    by_subject = [metrics["f1/subject/strokes"]] * 2 + [metrics["f1/subject/lines"]]
    assert metrics["f1/artbook"] == pytest.approx(sum(by_subject) / 3, abs=1e-3)
    assert metrics["f1/artbook"] > 0.9
    assert metrics["f1/pictures"] == metrics["f1/picture/wrong"] == 0
    assert "f1/pictures" not in evaluate(Oracle(), pages, [], CONTEXT)


@pytest.mark.parametrize("network", ["tracer", "inker"])
def test_sheet_shows_what_is_seen_true_and_found(network: str) -> None:
    torch.manual_seed(0)
    pages = [draw_example(network, seed, 64) for seed in range(2)]
    pages[1].weight[:32] = 0
    sheet = draw_sheet(Unet(4 if network == "tracer" else 2, (2, 2)), pages, CONTEXT)
    headings, sheet = sheet[: -2 * 68], sheet[-2 * 68 :]
    assert 10 < len(headings) < 40
    assert sheet.shape == (2 * 68, 3 * 68, 3)
    assert np.array_equal(sheet[:64, 68:132, 0], pages[0].lines)
    true = sheet[68:132, 68:132].astype(int)
    assert np.array_equal(true[32:, :, 1], pages[1].lines[32:])
    assert (true[:32, :, 0] > true[:32, :, 1] + 60).all()
    seen = sheet[68:132, :64] if network == "tracer" else sheet[68:132, :64, 0]
    assert np.array_equal(seen, pages[1].picture)
