"""The task of drawn pictures: what it needs, and when the colorizer is trained on them."""

import pytest

from pipeline.artbook import dicebear
from pipeline.pairs.options import ArtbookOptions
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
def test_missing_packages_are_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    assert DrawPairs().unmet_requirements() == []
    monkeypatch.setattr(dicebear, "is_installed", lambda: False)
    (message,) = DrawPairs().unmet_requirements()
    assert message.endswith("pip install -e .[art]")
