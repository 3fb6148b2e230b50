"""The dataset: content of samples, reproducible randomness, files that cannot be used."""

import pickle
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from pipeline.colorizer.hints import HintOptions, Hints
from pipeline.colorizer.options import AugmentOptions
from pipeline.colorizer.spread import spread_hints
from pipeline.colorizer.training.dataset import ColorizationDataset, TrainingSample, normalize
from sketch_models.errors import SengaError
from tests.pipeline.colorizer.conftest import WritePacked

PLAIN = AugmentOptions(hue=0, saturation=0, brightness=0)


def same(one: TrainingSample, other: TrainingSample) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one.keys() | other.keys())


def test_sample_has_documented_shapes_and_dtypes(write_packed: WritePacked) -> None:
    path = write_packed()
    dataset = ColorizationDataset(path, lines=["pured"])
    assert (len(dataset), dataset.size) == (4, 32)
    assert dataset.ids.tolist() == [3, 5, 8, 13]
    assert dataset.line_names == ("pured",)
    assert dataset.attributes["split"] == "x"
    sample = dataset[2]
    shapes = {name: (tuple(value.shape), value.dtype) for name, value in sample.items()}
    assert shapes == {
        "line": ((1, 32, 32), torch.uint8),
        "hint": ((3, 32, 32), torch.uint8),
        "mask": ((1, 32, 32), torch.uint8),
        "color": ((3, 32, 32), torch.uint8),
        "id": ((), torch.int64),
        "box": ((4,), torch.int64),
    }
    assert sample["id"] == 8
    assert sample["box"].tolist() == [4, 0, 26, 32]
    with h5py.File(path) as file:
        assert (sample["line"][0].numpy() == file["line/pured"][2]).all()
        assert (sample["color"].numpy() == file["color"][2].transpose(2, 0, 1)).all()


def test_normalize_gives_documented_ranges(write_packed: WritePacked) -> None:
    dataset = ColorizationDataset(write_packed())
    sample = next(s for s in (dataset[row] for row in range(4)) if s["mask"].any())
    floats = normalize(sample)
    for name in ("line", "color"):
        expected = torch.from_numpy(sample[name].numpy() / 127.5 - 1).float()
        torch.testing.assert_close(floats[name], expected)
        assert floats[name].max() == 1  # paper, exactly
    hinted = sample["mask"][0].bool()
    assert floats["mask"].dtype == torch.float32
    assert floats["mask"].unique().tolist() == [0, 1]
    assert (floats["hint"][:, ~hinted] == 0).all()
    torch.testing.assert_close(
        floats["hint"][:, hinted], sample["hint"][:, hinted].float() / 127.5 - 1
    )
    (batch,) = DataLoader(dataset, batch_size=4)
    assert torch.equal(normalize(batch)["hint"][1], normalize(dataset[1])["hint"])
    assert normalize(batch, "meta")["box"].device.type == "meta"


def test_randomness_depends_on_seed_post_and_epoch(write_packed: WritePacked) -> None:
    path = write_packed(range(-3, 9))
    one = ColorizationDataset(path, augment=AugmentOptions(), seed=1)
    other = ColorizationDataset(path, augment=AugmentOptions(), seed=1)
    first = [one[row] for row in range(12)]
    assert all(same(first[row], other[row]) for row in reversed(range(12)))
    assert same(first[-1], one[-1])
    one.set_epoch(1)
    again = [one[row] for row in range(12)]
    assert sum(torch.equal(a["color"], b["color"]) for a, b in zip(first, again, strict=True)) == 0
    one.set_epoch(0)
    assert same(one[4], first[4])
    seeded = ColorizationDataset(path, augment=AugmentOptions(), seed=2)
    assert not any(torch.equal(first[row]["color"], seeded[row]["color"]) for row in range(12))


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork")
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_give_the_same_samples_in_every_epoch(
    write_packed: WritePacked, start: str
) -> None:
    dataset = ColorizationDataset(write_packed(range(1, 9)), augment=AugmentOptions())
    alone = {epoch: [] for epoch in (0, 1)}  # type: dict[int, list[TrainingSample]]
    for epoch, samples in alone.items():
        dataset.set_epoch(epoch)
        samples += [dataset[row] for row in range(8)]  # opens the file before workers are forked
    loader = DataLoader(
        dataset,
        batch_size=2,
        num_workers=2,
        persistent_workers=True,
        multiprocessing_context=start,
    )
    for epoch, expected in alone.items():
        dataset.set_epoch(epoch)
        colors = torch.cat([batch["color"] for batch in loader])
        assert torch.equal(colors, torch.stack([sample["color"] for sample in expected]))
    assert not torch.equal(alone[0][0]["color"], alone[1][0]["color"])


def test_pickled_dataset_gives_the_same_samples(write_packed: WritePacked) -> None:
    dataset = ColorizationDataset(write_packed(), augment=AugmentOptions())
    dataset.set_epoch(3)
    before = dataset[1]
    assert same(pickle.loads(pickle.dumps(dataset))[1], before)


def test_lines_are_picked_uniformly(write_packed: WritePacked) -> None:
    path = write_packed([7], lines=["_256", "_512"])
    dataset = ColorizationDataset(path)
    assert dataset.line_names == tuple(
        f"{style}_{size}" for style in ("enhanced", "original", "pured") for size in (256, 512)
    )
    with h5py.File(path) as file:
        names = {file[f"line/{name}"][0].tobytes(): name for name in dataset.line_names}
    picked: Counter[str] = Counter()
    for epoch in range(600):
        dataset.set_epoch(epoch)
        picked[names[dataset[0]["line"].numpy().tobytes()]] += 1
    # 100 each; sigma is 9
    assert set(picked) == set(dataset.line_names)
    assert all(60 < count < 140 for count in picked.values()), picked


def test_half_of_the_pictures_are_flipped(write_packed: WritePacked) -> None:
    path = write_packed([7])
    plain = ColorizationDataset(path, lines=["pured"])[0]
    dataset = ColorizationDataset(path, lines=["pured"], augment=PLAIN)
    flips = 0
    for epoch in range(200):
        dataset.set_epoch(epoch)
        sample = dataset[0]
        flipped = not torch.equal(sample["line"], plain["line"])
        flips += flipped
        for name in ("line", "color"):
            expected = plain[name].flip(-1) if flipped else plain[name]
            assert (sample[name].int() - expected.int()).abs().max() <= 1
        left = 32 - 26 if flipped else 4
        assert sample["box"].tolist() == [left, 0, left + 22, 32]
        outside = torch.cat((sample["mask"][..., :left], sample["mask"][..., left + 22 :]), -1)
        assert not outside.any()  # hints follow the flipped box
    assert 70 < flips < 130, flips
    never = AugmentOptions(flip=False, hue=0, saturation=0, brightness=0)
    dataset = ColorizationDataset(path, lines=["pured"], augment=never)
    for epoch in range(20):
        dataset.set_epoch(epoch)
        assert torch.equal(dataset[0]["line"], plain["line"])


def test_colours_vary_and_padding_stays_white(write_packed: WritePacked) -> None:
    path = write_packed([7])
    plain = ColorizationDataset(path)[0]["color"].int()
    dataset = ColorizationDataset(path, augment=AugmentOptions(flip=False))
    for epoch in range(20):
        dataset.set_epoch(epoch)
        color = dataset[0]["color"].int()
        assert (color[:, :, :4] == 255).all()
        assert (color[:, :, 26:] == 255).all()
        assert (color - plain).abs().float().mean() > 1


def test_hints_have_the_colours_of_the_augmented_picture(write_packed: WritePacked) -> None:
    single = HintOptions(min_patch=1, max_patch=1, patch_step=1)
    dataset = ColorizationDataset(write_packed(), augment=AugmentOptions(), hints=single)
    hinted = 0
    for row in range(4):
        sample = dataset[row]
        mask = sample["mask"][0].bool()
        hinted += int(mask.sum())
        assert torch.equal(sample["hint"][:, mask], sample["color"][:, mask])
        assert not sample["hint"][:, ~mask].any()
    assert hinted > 0


def test_hints_can_be_left_out(write_packed: WritePacked) -> None:
    dataset = ColorizationDataset(write_packed(), hints=None)
    for row in range(4):
        assert not dataset[row]["mask"].any()
        assert not dataset[row]["hint"].any()


def test_missing_row_is_an_index_error(write_packed: WritePacked) -> None:
    dataset = ColorizationDataset(write_packed())
    with pytest.raises(IndexError):
        dataset[4]
    assert len(list(dataset)) == 4  # type: ignore[call-overload]


def test_empty_file_is_refused(write_packed: WritePacked) -> None:
    path = write_packed([])
    with pytest.raises(SengaError, match=r"train\.h5 has no pictures: build it from more posts\.$"):
        ColorizationDataset(path)


def test_missing_line_is_refused(write_packed: WritePacked) -> None:
    with pytest.raises(
        SengaError, match=r"no line art pured_512\. Choose one of enhanced, original, pured, or"
    ):
        ColorizationDataset(write_packed(), lines=["pured", "pured_512"])


def test_other_size_is_refused(write_packed: WritePacked) -> None:
    path = write_packed()
    assert ColorizationDataset(path, size=32).size == 32
    with pytest.raises(
        SengaError, match=r"was packed with \[pack\] size = 32: expected 64\. .* \[pack\] size = 64"
    ):
        ColorizationDataset(path, size=64)


def test_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SengaError, match=r"none\.h5 is missing. Build it first\.$"):
        ColorizationDataset(tmp_path / "none.h5")


def test_randomness_is_that_of_seed_epoch_and_post(write_packed: WritePacked) -> None:
    """The documented seeds let anybody reproduce a sample."""
    path = write_packed([7], lines=["_256", "_512"])
    dataset = ColorizationDataset(path, seed=5)
    dataset.set_epoch(2)
    name = dataset.line_names[np.random.default_rng((5, 2, 7)).integers(6)]
    with h5py.File(path) as file:
        assert (dataset[0]["line"][0].numpy() == file[f"line/{name}"][0]).all()


def test_spread_hints_come_with_a_sample_if_asked_for(write_packed: WritePacked) -> None:
    path = write_packed()
    plain, spread = (ColorizationDataset(path, spread_hints=asked) for asked in (False, True))
    for row in range(4):
        assert "spread" not in plain[row]
        sample = spread[row]
        assert same({k: v for k, v in sample.items() if k != "spread"}, plain[row])  # type: ignore[arg-type]
        hints = Hints(
            sample["hint"].permute(1, 2, 0).numpy().copy(), sample["mask"][0].bool().numpy()
        )
        box = tuple(sample["box"].tolist())
        expected = spread_hints(sample["line"][0].numpy(), hints, box)
        assert sample["spread"].dtype == torch.uint8
        assert (sample["spread"][:3].permute(1, 2, 0).numpy() == expected.color).all()
        assert (sample["spread"][3].numpy() == expected.nearness).all()
        floats = normalize(sample)["spread"]
        assert floats.dtype == torch.float32
        has_hints = hints.mask.any()
        colors = torch.from_numpy(expected.color).permute(2, 0, 1) / 127.5 - 1
        torch.testing.assert_close(floats[:3], colors * has_hints)
        torch.testing.assert_close(floats[3], sample["spread"][3] / 255)
