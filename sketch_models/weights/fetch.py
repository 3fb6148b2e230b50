"""A published weight file, from the folder or from where it is published, and verified."""

from __future__ import annotations

import sys
from pathlib import Path

from sketch_models.atomic import locked, replacing
from sketch_models.errors import SengaError
from sketch_models.weights.cache import book, digests_of, folder, is_file, reading, writing
from sketch_models.weights.digests import Digests, read_digests
from sketch_models.weights.table import FILES, WeightFile

_SHORTEST = 0.9  # of a file's size, where upstream published no digest


def fetch(name: str, progress: bool = True) -> Path:
    """The path of a published file in the folder, where it is downloaded to unless it is there.

    A file that a person put there counts as well. Either way it is verified: by the published
    digest, or by the one under which it was first seen.

    Args:
        name: of `FILES`.
        progress: whether to say on stderr how far the download is.

    Raises:
        SengaError: where the name is unknown, or the right file cannot be had.
    """
    if name not in FILES:
        names = ", ".join(FILES)
        raise SengaError(f"There are no weights called {name}: expected one of {names}.")
    file = FILES[name]
    path = folder() / file.file
    if not is_file(path):
        with writing(file.file, file.megabytes, file.option), locked(path):
            if not is_file(path):  # another process may have fetched it meanwhile
                _note_licence(file)
                _download(file, path, progress)
    instead = f", or set {file.option} to the path of a good copy" if file.option else ""
    cure = f"delete it and run again{instead}"
    _check(file, path, digests_of(path), what=str(path), cure=cure)
    return path


def _note_licence(file: WeightFile) -> None:
    """Says once per machine and network that its weights are not for every use."""
    if not file.non_commercial:
        return
    note = f"The published weights of {file.network} are for {file.licence}.\n"
    mark = folder() / "licences.txt"
    with locked(mark):
        said = mark.read_text(encoding="utf-8") if mark.exists() else ""
        if note not in said:
            sys.stderr.write(note)
            with replacing(mark) as temporary:
                temporary.write_text(said + note, encoding="utf-8")


def _download(file: WeightFile, path: Path, progress: bool) -> None:
    from sketch_models.weights.download import DownloadError, download

    by_hand = f"put it into {folder()}"
    if file.option:
        by_hand = f"set {file.option} to its path, or {by_hand}"
    cure = f"fetch it on a machine with a network and {by_hand}"
    with replacing(path) as temporary:
        try:
            download(file.url, temporary, megabytes=file.megabytes, progress=progress)
        except DownloadError as error:
            raise SengaError(
                f"{file.file} could not be fetched from {file.url} ({error}): {cure}."
            ) from error
        _check(file, temporary, read_digests(temporary), what=f"What {file.url} sent", cure=cure)


def _check(file: WeightFile, path: Path, digests: Digests, *, what: str, cure: str) -> None:
    """Refuses what is not the published file.

    Args:
        file: what is expected.
        path: where the bytes are.
        digests: of these bytes.
        what: begins the sentence of a refusal.
        cure: ends it.
    """
    with reading(path), path.open("rb") as opened:
        if opened.read(64).lstrip().startswith(b"<"):
            raise SengaError(f"{what} is a web page, expected {file.file}: {cure}.")
    if not file.digest:
        _check_first(file, path, digests.sha256, what=what, cure=cure)
    elif not file.promises(digests):
        found = f"md5:{digests.md5}" if "md5" in file.digest else f"sha256:{digests.sha256}"
        raise SengaError(
            f"{what} is not {file.file} as published: expected {file.digest}, found {found}: "
            f"{cure}."
        )


def _check_first(file: WeightFile, path: Path, sha256: str, *, what: str, cure: str) -> None:
    """Upstream published no digest: the first one that is seen is what later ones must be."""
    seen = book()
    first = seen.first(file.name)
    if first and first != sha256:
        raise SengaError(
            f"{what} is not the {file.file} that was first seen: expected sha256:{first}, found "
            f"sha256:{sha256}: if it was changed on purpose, delete {file.name} from {seen.path}."
        )
    megabytes = path.stat().st_size / 1e6
    if megabytes < _SHORTEST * file.megabytes:
        raise SengaError(
            f"{what} is cut short: expected the {file.megabytes:.1f} MB of {file.file}, found "
            f"{megabytes:.1f}: {cure}."
        )
    if not first:
        seen.record_first(file.name, sha256)
