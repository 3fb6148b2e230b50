"""Where artefacts live, how they get there, and what is known of how they were made.

Every path under `data/<dataset>/` is built here and nowhere else. Nothing here imports more than
the standard library: Luigi's scheduling process reads manifests before it forks its workers.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path

from sketch_models.errors import SengaError

_MEANINGS = {
    errno.ENOSPC: "the disk is full: free some space",
    errno.EDQUOT: "the disk quota is used up: free some space",
    errno.EFBIG: "it is larger than this system allows a file to be: raise the limit",
    errno.EACCES: "it is not writable for this user: change its permissions or [build] data",
    errno.EPERM: "it is not writable for this user: change its permissions or [build] data",
    errno.EROFS: "its file system is read-only: choose another folder with [build] data",
    errno.ENOTDIR: "a file is in the way of a folder: choose another folder with [build] data",
    errno.EEXIST: "a file is in the way of a folder: choose another folder with [build] data",
}


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the operating system says while `path` is written into one clear sentence.

    Raises:
        SengaError: where the block raised an OSError whose cause the user can mend.
    """
    try:
        yield
    except OSError as error:
        meaning = _MEANINGS.get(error.errno or 0)
        if meaning is None:
            raise
        message = f"{path} could not be written, {meaning}, then run again; nothing is lost."
        raise SengaError(message) from error


@contextlib.contextmanager
def publish(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; what was written there becomes `path` at the end.

    The block may write a file or make a folder. Readers see the old one or the whole new one;
    where the block raises, the temporary one is deleted.

    Raises:
        SengaError: no space, no permission, and the like.
    """
    temporary = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}.tmp")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            if temporary.is_dir():
                _replace_folder(temporary, path)
            else:
                _flush(temporary)
                temporary.replace(path)
        finally:
            _delete(temporary)


def _flush(file: Path) -> None:
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _replace_folder(new: Path, path: Path) -> None:
    for file in new.rglob("*"):
        if file.is_file():
            _flush(file)
    old = new.with_suffix(".old")
    if path.exists():
        path.replace(old)
    new.replace(path)
    _delete(old)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def fingerprint(payload: object) -> str:
    """The sha256 of plain data (dictionaries, lists, strings, numbers), as 64 hex digits."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """How an artefact was made; written last, so that it proves that the artefact is whole.

    Attributes:
        fingerprint: of `inputs`.
        inputs: stage, version, options and the upstream content that the artefact was made from.
        content: digest of what the artefact holds, for stages downstream.
        kept: pictures (or posts) that came through.
        dropped: how many did not, per reason.
        facts: what else the stage wants to be known, such as the rows of a funnel.
        unfinished: pictures that a later run should try again.
        build: the run that made it.
        bytes: size of the artefact.
        seconds: wall clock of the stage.
        created: UTC, ISO 8601.
        host: the machine's name.
        versions: of Senga's commit and of the libraries.
    """

    fingerprint: str
    inputs: dict[str, object]
    content: str
    kept: int
    dropped: dict[str, int] = field(default_factory=dict)
    facts: dict[str, object] = field(default_factory=dict)
    unfinished: int = 0
    build: str = ""
    bytes: int = 0
    seconds: float = 0.0
    created: str = ""
    host: str = ""
    versions: dict[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Publishes the manifest as JSON."""
        with publish(path) as temporary:
            temporary.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")


def stamp(path: Path) -> tuple[int, int] | None:
    """What tells a file from another that takes its place; None where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ino


def read_manifest(path: Path) -> Manifest | None:
    """The manifest at `path`; None where there is none, or none that can be read."""
    now = stamp(path)
    return None if now is None else _parse_manifest(path, *now)


@lru_cache(maxsize=4096)
def _parse_manifest(path: Path, _modified: int, _inode: int) -> Manifest | None:
    try:
        return Manifest(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


@dataclass(frozen=True)
class Dataset:
    """The folder of one dataset, `data/<name>/`, and every path in it.

    A `recipe` is the fingerprint of the settings that lead to an artefact. It is a part of the
    path of everything derived, so that changing a setting and changing it back costs nothing;
    downloaded pictures do not carry it, so that nothing is fetched twice.
    """

    root: Path

    def metadata(self, recipe: str) -> Path:
        """Folder of `posts.parquet`, `quarantine.csv` and their manifest."""
        return self.root / "metadata" / recipe[:12]

    def sample_csv(self) -> Path:
        """The sample booru's metadata."""
        return self.root / "metadata" / "sample_booru.csv"

    def collected(self, recipe: str) -> Path:
        """What a board's API has answered so far; it only grows."""
        return self.root / "metadata" / f"{recipe[:12]}.jsonl"

    def posts(self, recipe: str) -> Path:
        """Folder of the filtered posts, a Parquet file per shard."""
        return self.root / "posts" / recipe[:12]

    def color(self, shard: int) -> Path:
        """Tar of downloaded pictures."""
        return self.root / "color" / f"{shard_name(shard)}.tar"

    def color_journal(self, shard: int) -> Path:
        """What has come of a shard whose download has not ended."""
        return self.root / "color" / f"{shard_name(shard)}.journal"

    def color_outcomes(self, shard: int) -> Path:
        """What became of every URL of the shard that was ever asked for."""
        return self.root / "color" / f"{shard_name(shard)}.outcomes.parquet"

    def color_manifest(self, recipe: str, shard: int) -> Path:
        """The proof that the shard's tar holds what the recipe's posts ask for."""
        return self.root / "color" / recipe[:12] / f"{shard_name(shard)}.json"

    def screen(self, recipe: str, shard: int) -> Path:
        """Table of what the pictures of a shard are like, and which are kept."""
        return self.root / "screen" / recipe[:12] / f"{shard_name(shard)}.parquet"

    def screens(self, shard: int) -> list[Path]:
        """The tables of a shard under every recipe."""
        return sorted(self.root.glob(f"screen/*/{shard_name(shard)}.parquet"))

    def sketch(self, recipe: str, shard: int) -> Path:
        """Tar of sketches."""
        return self.root / "sketch" / recipe[:12] / f"{shard_name(shard)}.tar"

    def line(self, recipe: str, shard: int) -> Path:
        """Tar of line art."""
        return self.root / "line" / recipe[:12] / f"{shard_name(shard)}.tar"

    def split(self, recipe: str) -> Path:
        """Folder of `split.parquet`."""
        return self.root / "split" / recipe[:12]

    def packed(self, recipe: str) -> Path:
        """Folder of `train.h5`, `test.h5` and `report.html`."""
        return self.root / "dataset" / recipe[:12]

    def colorizer(self, recipe: str) -> Path:
        """Folder of a trained colorizer: weights, metrics, sample grids, checkpoints."""
        return self.root / "colorizer" / recipe[:12]

    def evaluation(self, recipe: str) -> Path:
        """Folder of an evaluation: metrics, figures, the page that shows them."""
        return self.root / "evaluation" / recipe[:12]

    def newest(self, name: str) -> Path:
        """`train.h5`, `test.h5` or `report.html` of the newest build."""
        return self.root / name

    def point(self, name: str, artefact: Path) -> None:
        """Makes `newest(name)` a relative link to an artefact of this dataset."""
        with publish(self.newest(name)) as temporary:
            temporary.symlink_to(os.path.relpath(artefact, self.root))


def shard_name(shard: int) -> str:
    """`shard-00042`."""
    return f"shard-{shard:05d}"


def outcomes_of(shard: Path) -> Path:
    """The table of outcomes that belongs to a shard of sketches or lines."""
    return shard.with_suffix(".outcomes.parquet")


def manifest_of(artefact: Path) -> Path:
    """The manifest that belongs to an artefact: in a folder, or beside a file."""
    return artefact.with_suffix(".json") if artefact.suffix else artefact / "manifest.json"


_held: dict[Path, int] = {}


def hold(root: Path) -> None:
    """Keeps other builds off a dataset for as long as this process and its children live.

    Raises:
        SengaError: where another build holds it, or the folder cannot be written.
    """
    root = root.absolute()
    if root in _held:
        return
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(descriptor, 200).decode(errors="replace") or "an unknown process"
        os.close(descriptor)
        raise SengaError(
            f"{root} is being built by {holder}: wait until it has ended, "
            "or choose another name with --build-dataset."
        ) from None
    for left_behind in root.rglob(".*.tmp"):  # by a run that was killed
        _delete(left_behind)
    os.ftruncate(descriptor, 0)
    os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
    _held[root] = descriptor


def size_of(artefact: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    files = artefact.rglob("*") if artefact.is_dir() else [artefact]
    return sum(file.stat().st_size for file in files if file.is_file())


def digest(rows: Mapping[int, str]) -> str:
    """A digest of what each post id stands for, whatever their order."""
    state = hashlib.sha256()
    for post_id, text in sorted(rows.items()):
        state.update(f"{post_id}\t{text}\n".encode())
    return state.hexdigest()
