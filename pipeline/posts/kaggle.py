"""Fetches the CSV of posts that Kaggle holds."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from sketch_models.errors import SengaError

DATASET = "alamson/safebooru"
_CSV = "all_data.csv"
_BY_HAND = f"or fetch {_CSV} by hand and set [metadata] csv to its path"


def needs() -> list[str]:
    """What a person must install before `fetch_csv` can work, a sentence."""
    if importlib.util.find_spec("kagglehub") is not None:
        return []
    return [
        f"kagglehub is not installed, expected it for the dataset {DATASET}: "
        f"`pip install -e .[kaggle]`, {_BY_HAND}."
    ]


def fetch_csv() -> Path:
    """Downloads the dataset, 1.5 GB, into the cache of kagglehub unless it is there.

    Kaggle is asked in any case which version is the current one.

    Returns:
        The CSV in that cache; do not change it.

    Raises:
        SengaError: where kagglehub is not installed, or Kaggle gives no CSV.
    """
    try:
        kagglehub = importlib.import_module("kagglehub")
    except ImportError as error:
        raise SengaError(
            f"kagglehub cannot be imported ({error}), expected it for the dataset {DATASET}: "
            f"`pip install -e .[kaggle]`, {_BY_HAND}."
        ) from error
    try:
        folder = Path(kagglehub.dataset_download(DATASET))
    except Exception as error:  # it names none that it raises; requests and tarfile have more
        cause = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise SengaError(
            f"The dataset {DATASET} cannot be fetched from Kaggle ({cause}), expected a download: "
            f"{_cure(error)}, {_BY_HAND}."
        ) from error
    return _find(folder)


def _cure(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    refused = status in (401, 403)
    if refused or type(error).__name__ in ("UnauthenticatedError", "CredentialError"):
        return "set KAGGLE_USERNAME and KAGGLE_KEY to those of your account at Kaggle"
    return "check the network and the space on the disk, try again"


def _find(folder: Path) -> Path:
    if (folder / _CSV).is_file():
        return folder / _CSV
    found = sorted(folder.rglob("*.csv"))
    if len(found) != 1:
        names = ", ".join(str(path.relative_to(folder)) for path in found[:5]) or "none"
        raise SengaError(
            f"{folder} holds these CSV files: {names}, expected {_CSV} of the dataset {DATASET}: "
            "delete that folder and try again."
        )
    return found[0]
