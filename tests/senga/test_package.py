"""The public package: its names, and the libraries that importing it loads."""

import importlib
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import senga
from sketch_models import errors

TOP = Path(__file__).parents[2]
HEAVY = {"torch", "tensorflow", "matplotlib", "pandas", "polars", "luigi", "cv2", "numpy"}


def loaded(code: str) -> set[str]:
    """The heavy libraries that a program loads."""
    code += f"\nimport sys; print(*({HEAVY} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=TOP)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_import_loads_no_heavy_library() -> None:
    assert loaded("import senga; senga.SengaError; dir(senga); senga.__version__") == set()


def test_tables_load_no_networks() -> None:
    names = "read_posts, read_outcomes, read_measures, read_metrics, Hints, build_dataset"
    names += ", filter_frame, screen_picture, split_ids, pack_pairs"
    assert not loaded(f"from senga import {names}") & {"torch", "tensorflow", "matplotlib"}


def test_colorizer_loads_pytorch_alone() -> None:
    modules = loaded("from senga import Colorizer, ColorizationDataset")
    assert "torch" in modules
    assert not modules & {"tensorflow", "matplotlib", "luigi", "pandas"}


@pytest.mark.parametrize("name", senga.__all__)
def test_every_name_is_that_of_its_module(name: str) -> None:
    value = getattr(senga, name)
    assert name in dir(senga)
    if name != "__version__":
        assert value is getattr(importlib.import_module(value.__module__), name)
        assert value.__doc__


def test_names_can_be_imported_by_a_star() -> None:
    names: dict[str, object] = {}
    exec("from senga import *", names)
    assert names.keys() >= set(senga.__all__)


def test_version_is_that_of_the_distribution() -> None:
    assert senga.__version__ == metadata.version("senga")


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'senga' has no attribute 'Colouriser'"):
        senga.Colouriser  # noqa: B018
    with pytest.raises(ImportError):
        exec("from senga import Colouriser")


@pytest.mark.parametrize("name", ["ConfigError", "DatasetError", "WeightsError"])
def test_errors_are_a_tree(name: str) -> None:
    assert issubclass(getattr(senga, name), senga.SengaError)
    assert senga.SengaError is errors.SengaError
