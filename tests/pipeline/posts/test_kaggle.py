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
def test_the_csv_of_the_dataset_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str]
) -> None:
    asked = []

    def download(handle: str) -> str:
        asked.append(handle)
        return str(tmp_path)

    for name in [*files, "readme.txt"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    install(monkeypatch, download)
    assert fetch_csv() == tmp_path / files[0]
    assert asked == ["alamson/safebooru"]


@pytest.mark.parametrize(
    ("files", "words"), [([], "CSV files: none"), (["a.csv", "b.csv"], "a.csv, b.csv")]
)
def test_a_dataset_without_that_csv_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: list[str], words: str
) -> None:
    for name in files:
        (tmp_path / name).touch()
    install(monkeypatch, lambda _: str(tmp_path))
    with pytest.raises(SengaError, match=words):
        fetch_csv()


def test_kagglehub_that_is_not_installed_says_how_to(monkeypatch: pytest.MonkeyPatch) -> None:
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
        (http_error(404), "check the network"),
        (requests.ConnectionError("Max retries exceeded\n" * 100), "check the network"),
        (OSError(28, "No space left on device"), "the space on the disk"),
        (ValueError("Unsupported archive type."), "Unsupported archive type"),
    ],
)
def test_what_kaggle_refuses_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    install(monkeypatch, refusal(error))
    with pytest.raises(SengaError, match=words) as caught:
        fetch_csv()
    assert str(caught.value).startswith("The dataset alamson/safebooru cannot be fetched")
    assert "[metadata] csv" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 700


def test_what_must_be_installed_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    (sentence,) = kaggle.needs()
    assert "pip install -e .[kaggle]" in sentence
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    assert kaggle.needs() == []
