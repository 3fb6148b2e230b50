"""The download of published weight files into the cache folder, and their verification."""

from __future__ import annotations

import sys
from pathlib import Path

from sketch_models.atomic import locked, replacing
from sketch_models.errors import WeightsError
from sketch_models.weights.cache import (
    cache_folder,
    digest_cache,
    digests_of,
    explain_read_errors,
    explain_write_errors,
    is_file,
)
from sketch_models.weights.digests import Digests, read_digests
from sketch_models.weights.table import FILES, WeightFile

_MIN_SIZE_RATIO = 0.9  # to the size in the table, for a file without a published digest


def fetch(name: str, progress: bool = True) -> Path:
    """Return the path of a published file in the cache folder; download it if it is missing.

    A person may put the file there too. In both cases it is verified: by the published digest, or
    by that of the first file of this name.

    Args:
        name: a key of `FILES`.
        progress: whether to show a progress line on stderr.

    Raises:
        WeightsError: If the name is unknown, or the download or the verification fails.
    """
    if name not in FILES:
        raise WeightsError(f"Weights {name}: unknown name. Use one of {', '.join(FILES)}.")
    file = FILES[name]
    path = cache_folder() / file.filename
    if not is_file(path):
        with explain_write_errors(file.filename, file.megabytes, file.option), locked(path):
            if not is_file(path):  # another process may have downloaded it meanwhile
                _print_licence_once(file)
                _download(file, path, progress)
    instead = f", or set {file.option} to the path of a good copy" if file.option else ""
    remedy = f"Delete it and run again{instead}"
    _verify(file, path, digests_of(path), source=str(path), remedy=remedy)
    return path


def _print_licence_once(file: WeightFile) -> None:
    """Print the licence of weights for non-commercial use, once per machine and network."""
    if not file.non_commercial:
        return
    notice = f"The published weights of {file.network} are for {file.licence}.\n"
    path = cache_folder() / "licences.txt"
    with locked(path):
        printed = path.read_text(encoding="utf-8") if path.exists() else ""
        if notice not in printed:
            sys.stderr.write(notice)
            with replacing(path) as temporary:
                temporary.write_text(printed + notice, encoding="utf-8")


def _download(file: WeightFile, path: Path, progress: bool) -> None:
    from sketch_models.weights.download import DownloadError, download

    by_hand = f"put it into {cache_folder()}"
    if file.option:
        by_hand = f"set {file.option} to its path, or {by_hand}"
    remedy = f"Download it on a machine with a network and {by_hand}"
    with replacing(path) as temporary:
        try:
            download(file.url, temporary, megabytes=file.megabytes, progress=progress)
        except DownloadError as error:
            raise WeightsError(
                f"{file.filename}: the download from {file.url} failed ({error}). {remedy}."
            ) from error
        digests = read_digests(temporary)
        _verify(file, temporary, digests, source=f"Download of {file.url}", remedy=remedy)


def _verify(file: WeightFile, path: Path, digests: Digests, *, source: str, remedy: str) -> None:
    """Raise WeightsError unless this is the published file.

    Args:
        file: the published file.
        path: of the content to verify.
        digests: of that content.
        source: start of the message: the origin of the content.
        remedy: end of the message: what to do.
    """
    with explain_read_errors(path), path.open("rb") as stream:
        if stream.read(64).lstrip().startswith(b"<"):
            raise WeightsError(f"{source}: a web page instead of {file.filename}. {remedy}.")
    if not file.digest:
        _verify_first_seen(file, path, digests.sha256, source=source, remedy=remedy)
    elif not file.matches(digests):
        actual = f"md5:{digests.md5}" if "md5" in file.digest else f"sha256:{digests.sha256}"
        raise WeightsError(
            f"{source}: not the published {file.filename}: expected {file.digest}, found {actual}. "
            f"{remedy}."
        )


def _verify_first_seen(
    file: WeightFile, path: Path, sha256: str, *, source: str, remedy: str
) -> None:
    """Raise WeightsError unless this is the same file as the first of its name."""
    cache = digest_cache()
    first = cache.first_seen(file.name)
    if first and first != sha256:
        raise WeightsError(
            f"{source}: not the {file.filename} that was first seen: expected sha256:{first}, "
            f"found sha256:{sha256}. If it was changed on purpose, delete {file.name} from "
            f"{cache.path}."
        )
    megabytes = path.stat().st_size / 1e6
    if megabytes < _MIN_SIZE_RATIO * file.megabytes:
        raise WeightsError(
            f"{source}: cut short: expected the {file.megabytes:.1f} MB of {file.filename}, found "
            f"{megabytes:.1f} MB. {remedy}."
        )
    if not first:
        cache.record_first_seen(file.name, sha256)
