"""The task that packs: what its files depend on."""

import pytest

from pipeline.pack.pack import PackOptions
from sketch_models.option import settings_of
from tasks import DrawPairs, PackDataset, config
from tasks.filter_posts import FilterPosts
from tasks.split_dataset import SplitDataset
from tasks.stage import Stage


def choose(patch: pytest.MonkeyPatch, *extras: str) -> None:
    patch.setitem(config._cache, PackOptions, PackOptions(extras=extras))


def test_files_without_extras_have_the_settings_of_earlier_versions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    choose(monkeypatch)
    assert list(PackDataset().settings()) == [
        "size",
        "fit",
        "sketches",
        "binary_lines",
        "compression",
    ]


def test_the_order_of_extras_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    for extras in (("mask", "flat"), ("flat", "mask")):
        choose(monkeypatch, *extras)
        expected = settings_of(PackOptions(extras=("flat", "mask")))
        del expected["rows_per_file"]  # which is the default
        assert PackDataset().settings() == expected


def test_drawn_pairs_do_not_depend_on_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = []
    for extras in ([], ["flat"]):
        choose(monkeypatch, *extras)
        settings.append(DrawPairs().settings())
    assert settings[0] == settings[1]


def test_parts_are_another_dataset_than_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    choose(monkeypatch)
    one_file, drawn = PackDataset().settings(), DrawPairs().settings()
    monkeypatch.setitem(config._cache, PackOptions, PackOptions(rows_per_file=7))
    assert PackDataset().settings() == {**one_file, "rows_per_file": 7}
    assert DrawPairs().settings() == drawn


class _Made:
    """The manifest of a task that is finished."""

    def __init__(self, task: Stage) -> None:
        self.content = type(task).__name__


@pytest.mark.parametrize("extras", [(), ("flat", "measures"), ("reference",)])
def test_references_alone_depend_on_all_of_a_post(
    monkeypatch: pytest.MonkeyPatch, extras: tuple[str, ...]
) -> None:
    choose(monkeypatch, *extras)
    for task in (FilterPosts, SplitDataset):
        monkeypatch.setattr(task, "manifest", lambda self: _Made(self))
    monkeypatch.setattr(FilterPosts, "shards", dict)
    expected = ["FilterPosts"] * ("reference" in extras) + ["SplitDataset"]
    assert PackDataset().content_from() == expected
