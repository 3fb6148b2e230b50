"""Download the CSV of posts from Kaggle."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path

from sketch_models.errors import SengaError

DATASET = "alamson/safebooru"
_CSV = "all_data.csv"
_BY_HAND = f"or download {_CSV} by hand and set [metadata] csv to its path"
_INSTALL = f"Run `pip install -e .[kaggle]`, {_BY_HAND}."


def missing_requirements() -> list[str]:
    """Return what must be installed before `fetch_csv` works, one sentence each."""
    if importlib.util.find_spec("kagglehub") is not None:
        return []
    return [f"kagglehub, which downloads the dataset {DATASET}, is not installed. {_INSTALL}"]


def fetch_csv() -> Path:
    """Download the dataset, 1.5 GB, into the cache of kagglehub unless it is there.

    Each call requests the current version from Kaggle.

    Returns:
        The CSV in that cache; do not change it.

    Raises:
        SengaError: if kagglehub is not installed, or Kaggle gives no CSV.
    """
    try:
        kagglehub = importlib.import_module("kagglehub")
    except ImportError as error:
        raise SengaError(
            f"kagglehub, which downloads the dataset {DATASET}, cannot be imported ({error}). "
            f"{_INSTALL}"
        ) from error
    try:
        folder = Path(kagglehub.dataset_download(DATASET))
    except Exception as error:  # it documents none; requests and tarfile raise more
        cause = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise SengaError(
            f"The dataset {DATASET} could not be downloaded from Kaggle ({cause}). "
            f"{_remedy(error)}, {_BY_HAND}."
        ) from error
    return _find_csv(folder)


def _remedy(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    refused = status in (401, 403)
    if refused or type(error).__name__ in ("UnauthenticatedError", "CredentialError"):
        return "Set KAGGLE_USERNAME and KAGGLE_KEY to those of your account at Kaggle"
    return "Check the network and the space on the disk, try again"


def _find_csv(folder: Path) -> Path:
    if (folder / _CSV).is_file():
        return folder / _CSV
    files = sorted(folder.rglob("*.csv"))
    if len(files) != 1:
        names = ", ".join(str(path.relative_to(folder)) for path in files[:5]) or "none"
        raise SengaError(
            f"{folder} holds these CSV files: {names}, expected {_CSV} of the dataset {DATASET}. "
            "Delete the folder and run again."
        )
    return files[0]
