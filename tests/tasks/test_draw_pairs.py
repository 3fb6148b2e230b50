"""The task of drawn pictures: what it needs, and when the colorizer is trained on them."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.artbook import dicebear
from pipeline.colorizer.options import NetworkOptions, TrainOptions
from pipeline.pairs.options import ArtbookOptions
from sketch_models.option import settings_of
from tasks import DrawPairs, PackDataset, config, train_colorizer
from tasks.train_colorizer import is_drawn, sources, training_files


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(config._cache, ArtbookOptions, ArtbookOptions(pictures=5))


def test_the_dataset_is_trained_on_unless_pictures_are_drawn() -> None:
    assert not is_drawn()
    assert isinstance(training_files(), PackDataset)
    assert not any(isinstance(task, DrawPairs) for task in sources())


@pytest.mark.usefixtures("drawn")
def test_drawn_pictures_are_trained_on_alone() -> None:
    assert is_drawn()
    assert isinstance(training_files(), DrawPairs)
    assert [type(task) for task in sources()] == [DrawPairs]
    assert train_colorizer.TrainColorizer().requires() == [DrawPairs()]


@pytest.mark.usefixtures("drawn")
def test_spade_is_plain_if_it_is_only_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = NetworkOptions(
        spread_hints=True, copy_hints=True, z_everywhere=True, norm="group", width=8
    )
    monkeypatch.setitem(config._cache, NetworkOptions, ours)
    plain = train_colorizer.TrainColorizer(generator="spade").network_options()
    assert plain == NetworkOptions(generator="spade", width=8)
    for name in ("", "netl_spade"):
        assert train_colorizer.TrainColorizer(generator=name).network_options() == ours
    monkeypatch.setitem(config._cache, NetworkOptions, replace(ours, generator="spade"))
    chosen = train_colorizer.TrainColorizer(generator="spade")
    assert chosen.network_options().copy_hints
    chosen_settings = chosen.settings()
    monkeypatch.setitem(config._cache, NetworkOptions, ours)
    compared = train_colorizer.TrainColorizer(generator="spade")
    assert compared.settings() != chosen_settings
    assert compared.settings()["colorizer"] == settings_of(compared.network_options())


@pytest.mark.usefixtures("drawn")
def test_missing_packages_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DrawPairs().unmet_requirements() == []
    monkeypatch.setattr(dicebear, "is_installed", lambda: False)
    (message,) = DrawPairs().unmet_requirements()
    assert message.endswith("pip install -e .[art]")


@pytest.mark.usefixtures("drawn")
def test_only_the_colorizer_itself_starts_from_another(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = train_colorizer.TrainColorizer().settings()
    file = tmp_path / "colorizer.safetensors"
    file.write_bytes(b"weights")
    seen = []
    for name in (file, tmp_path):  # the file, or its folder
        options = TrainOptions(initial_weights=str(name))
        monkeypatch.setitem(config._cache, TrainOptions, options)
        seen.append(train_colorizer.TrainColorizer().settings())
    assert seen[0] == seen[1]
    assert seen[0] != settings
    file.write_bytes(b"others")
    train_colorizer._identity.cache_clear()
    assert train_colorizer.TrainColorizer().settings() != seen[0]
    compared = train_colorizer.TrainColorizer(generator="spade")
    assert compared._train_options().initial_weights == ""
    assert "initial" not in compared.settings()
