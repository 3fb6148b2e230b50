"""The download from Kaggle, with a stand-in for kagglehub."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import requests

from pipeline.posts import kaggle
from pipeline.posts.kaggle import fetch_csv
from sketch_models.errors import SengaError


def install(monkeypatch: pytest.MonkeyPatch, download: Callable[[str], str]) -> None:
    module = ModuleType("kagglehub")
    vars(module)["dataset_download"] = download
    monkeypatch.setitem(sys.modules, "kagglehub", module)


def refusal(error: Exception) -> Callable[[str], str]:
    def download(_handle: str) -> str:
        raise error

    return download


def http_error(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(
        f"{status} Client Error.\n\nYou don't have\npermission", response=response
    )


def named(name: str) -> Exception:
    error = type(name, (Exception,), {})("no account")
    assert isinstance(error, Exception)
    return error


@pytest.mark.parametrize(
    "files", [["all_data.csv"], ["all_data.csv", "tags.csv"], ["posts.csv"], ["deep/all_data.csv"]]
)
def test_csv_of_the_dataset_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str]
) -> None:
    requested = []

    def download(handle: str) -> str:
        requested.append(handle)
        return str(tmp_path)

    for name in [*files, "readme.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    install(monkeypatch, download)
    assert fetch_csv() == tmp_path / files[0]
    assert requested == ["alamson/safebooru"]


@pytest.mark.parametrize(
    ("files", "words"), [([], "CSV files: none"), (["a.csv", "b.csv"], "a.csv, b.csv")]
)
def test_dataset_without_the_csv_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str], words: str
) -> None:
    for name in files:
        (tmp_path / name).touch()
    install(monkeypatch, lambda _: str(tmp_path))
    with pytest.raises(SengaError, match=words):
        fetch_csv()


def test_missing_kagglehub_names_the_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kagglehub", None)
    with pytest.raises(SengaError, match=r"pip install -e \.\[kaggle\]"):
        fetch_csv()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (http_error(401), "KAGGLE_USERNAME and KAGGLE_KEY"),
        (http_error(403), "KAGGLE_USERNAME and KAGGLE_KEY"),
        (named("UnauthenticatedError"), "KAGGLE_USERNAME and KAGGLE_KEY"),
        (named("CredentialError"), "KAGGLE_USERNAME and KAGGLE_KEY"),
        (http_error(404), "Check the network"),
        (requests.ConnectionError("Max retries exceeded\n" * 100), "Check the network"),
        (OSError(28, "No space left on device"), "the space on the disk"),
        (ValueError("Unsupported archive type."), "Unsupported archive type"),
    ],
)
def test_failed_download_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    install(monkeypatch, refusal(error))
    with pytest.raises(SengaError, match=words) as caught:
        fetch_csv()
    assert str(caught.value).startswith("The dataset alamson/safebooru could not be downloaded")
    assert "[metadata] csv" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_missing_requirements_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    (sentence,) = kaggle.missing_requirements()
    assert "pip install -e .[kaggle]" in sentence
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    assert kaggle.missing_requirements() == []
