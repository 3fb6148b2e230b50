"""The data folder: paths of artefacts, and atomic writes.

Every path under `data/<dataset>/` is built here and nowhere else. Nothing here imports more than
the standard library: Luigi's scheduling process uses it before it forks its workers.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sketch_models.atomic import replacing
from sketch_models.errors import SengaError

_NOT_WRITABLE = "it is not writable for this user. Change its permissions or [build] data"
_LINK_IN_THE_WAY = "a symbolic link has its name, and links are not followed. Delete the link"
_FOLDER_IN_THE_WAY = "a folder has its name. Move the folder away"
_FILE_IN_THE_WAY = "a file has the name of a folder. Choose another folder with [build] data"
# What is wrong, and what to do, by the error code of the operating system.
_WRITE_ERRORS = {
    errno.ENOSPC: "the disk is full. Free some space",
    errno.EDQUOT: "the disk quota is used up. Free some space",
    errno.EFBIG: "it is larger than this system allows a file to be. Raise the limit",
    errno.EACCES: _NOT_WRITABLE,
    errno.EPERM: _NOT_WRITABLE,
    errno.EROFS: "its file system is read-only. Choose another folder with [build] data",
    errno.ENOTDIR: _FILE_IN_THE_WAY,
    errno.EEXIST: _FILE_IN_THE_WAY,
    errno.EISDIR: _FOLDER_IN_THE_WAY,
    errno.ELOOP: _LINK_IN_THE_WAY,
    errno.ENOENT: "a folder of this path is gone, or cannot be made. Choose another [build] data",
    errno.ENAMETOOLONG: "the name is too long. Choose a shorter one",
}

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

NOT_WRITTEN = " could not be written: "
"""What parts the path in a message of `explain_write_errors` from the reason."""

HASH_LENGTH = 12
"""Number of hex digits of a settings hash in a path."""

LATEST = "latest"
"""The name of the link to the newest training or evaluation, in the folder of all of them."""


@contextlib.contextmanager
def explain_write_errors(path: Path) -> Iterator[None]:
    """Raise a SengaError that says what to do, if the block fails to write `path`.

    Raises:
        SengaError: if the block raised an OSError whose cause the user can remove.
    """
    try:
        yield
    except SengaError:
        raise
    except Exception as error:
        explanation = _WRITE_ERRORS.get(_error_code(error))
        if explanation is None:
            raise
        message = f"{path}{NOT_WRITTEN}{explanation}, then run again; nothing is lost."
        raise SengaError(message) from error


def _error_code(error: Exception) -> int:
    """Return the operating system's code of an error; 0 if it has none.

    Polars and h5py have it in the text alone, as `No space left on device`. Of such texts only
    those of a full disk are trusted: others may be about a file that was read.
    """
    if isinstance(error, OSError) and error.errno:
        return error.errno
    return next((code for code in _FULL if os.strerror(code) in str(error)), 0)


@contextlib.contextmanager
def publish(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and move what the block wrote there to `path`.

    This is `replacing`, which also makes the parent folder and explains what fails.

    Raises:
        SengaError: no space, no permission, and the like.
    """
    with explain_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            yield temporary


def fingerprint(payload: object) -> str:
    """Return the sha256 of plain data (dicts, lists, strings, numbers), as 64 hex digits."""
    text = json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Dataset:
    """The folder of one dataset, `data/<name>/`, and every path in it.

    A `settings_hash` is the fingerprint of the settings that lead to an artefact. It is a part of
    the path of everything derived, so that changing a setting and changing it back costs nothing;
    downloaded pictures do not carry it, so that nothing is fetched twice.
    """

    root: Path

    def metadata(self, settings_hash: str) -> Path:
        """Return the folder of `posts.parquet`, `quarantine.csv` and their manifest."""
        return self.root / "metadata" / settings_hash[:HASH_LENGTH]

    def sample_csv(self) -> Path:
        """Return the path of the sample booru's metadata."""
        return self.root / "metadata" / "sample_booru.csv"

    def frame(self) -> Path:
        """Return the path of the posts that a caller of `build_dataset` gave, as Kaggle's are."""
        return self.root / "metadata" / "frame.parquet"

    def api_posts(self, settings_hash: str) -> Path:
        """Return the path of the posts that a board's API has returned so far; it only grows."""
        return self.root / "metadata" / f"{settings_hash[:HASH_LENGTH]}.jsonl"

    def posts(self, settings_hash: str) -> Path:
        """Return the folder of the filtered posts, a Parquet file per shard."""
        return self.root / "posts" / settings_hash[:HASH_LENGTH]

    def color(self, shard: int) -> Path:
        """Return the path of a tar of downloaded pictures."""
        return self.root / "color" / f"{shard_name(shard)}.tar"

    def color_sizes(self, shard: int) -> Path:
        """Return the path of the sizes of the tar and its table, which all filters share."""
        return self.root / "color" / f"{shard_name(shard)}.json"

    def color_manifests(self, shard: int) -> list[Path]:
        """Return the paths of the manifests of a shard's downloads that exist, of all filters."""
        return sorted(self.root.glob(f"color/*/{shard_name(shard)}.json"))

    def color_journal(self, shard: int) -> Path:
        """Return the path of the journal of a shard whose download has not ended."""
        return self.root / "color" / f"{shard_name(shard)}.journal"

    def color_outcomes(self, shard: int) -> Path:
        """Return the path of the table of outcomes: a row per post that was ever downloaded."""
        return self.root / "color" / f"{shard_name(shard)}.outcomes.parquet"

    def color_manifest(self, settings_hash: str, shard: int) -> Path:
        """Return the path of the manifest of a shard's download, for the posts of one filter."""
        return self.root / "color" / settings_hash[:HASH_LENGTH] / f"{shard_name(shard)}.json"

    def screen(self, settings_hash: str, shard: int) -> Path:
        """Return the path of the table of picture statistics of a shard, and which are kept."""
        return self.root / "screen" / settings_hash[:HASH_LENGTH] / f"{shard_name(shard)}.parquet"

    def screen_tables(self, shard: int) -> list[Path]:
        """Return the paths of the `screen` tables of a shard that exist, under all settings."""
        return sorted(self.root.glob(f"screen/*/{shard_name(shard)}.parquet"))

    def sketch(self, settings_hash: str, shard: int) -> Path:
        """Return the path of a tar of sketches."""
        return self.root / "sketch" / settings_hash[:HASH_LENGTH] / f"{shard_name(shard)}.tar"

    def line(self, settings_hash: str, shard: int) -> Path:
        """Return the path of a tar of line art."""
        return self.root / "line" / settings_hash[:HASH_LENGTH] / f"{shard_name(shard)}.tar"

    def split(self, settings_hash: str) -> Path:
        """Return the folder of `split.parquet`."""
        return self.root / "split" / settings_hash[:HASH_LENGTH]

    def split_ledger(self, seed: int) -> Path:
        """Return the path of the ledger of sides, which all splits of a seed share."""
        return self.root / "split" / f"ledger-{seed}.parquet"

    def packed(self, settings_hash: str) -> Path:
        """Return the folder of `train.h5`, `test.h5` and `report.html`."""
        return self.root / "dataset" / settings_hash[:HASH_LENGTH]

    def pack_outcomes(self, settings_hash: str) -> Path:
        """Return the path of the table of outcomes of packing: a row per picture of the split."""
        return self.packed(settings_hash) / "outcomes.parquet"

    def pairs(self, settings_hash: str) -> Path:
        """Return the folder of the pictures that the artbook draws: `train.h5` and test sets."""
        return self.root / "artbook" / settings_hash[:HASH_LENGTH]

    def colorizer(self, settings_hash: str) -> Path:
        """Return the folder of a trained colorizer: weights, metrics, sample grids, checkpoints."""
        return self.root / "colorizer" / settings_hash[:HASH_LENGTH]

    def line_network(self, network: str, settings_hash: str) -> Path:
        """Return the folder of a trained `tracer` or `inker`: what `colorizer` has for its own."""
        return self.root / network / settings_hash[:HASH_LENGTH]

    def evaluation(self, settings_hash: str) -> Path:
        """Return the folder of an evaluation: metrics, figures, the page that shows them."""
        return self.root / "evaluation" / settings_hash[:HASH_LENGTH]

    def export(self, settings_hash: str) -> Path:
        """Return the folder of an export: the files for a trainer, and what became of each."""
        return self.root / "export" / settings_hash[:HASH_LENGTH]

    def damage_log(self) -> Path:
        """Return the path of the list of the files that were found damaged; it only grows."""
        return self.root / "damaged.log"

    def newest(self, name: str) -> Path:
        """Return the path of a link to the newest artefact of a name, such as `train.h5`.

        The name may have a folder, as `colorizer/latest`.
        """
        return self.root / name

    def link_newest(self, name: str, artefact: Path) -> None:
        """Make `newest(name)` a relative link to an artefact of this dataset."""
        link = self.newest(name)
        with publish(link) as temporary:
            temporary.symlink_to(os.path.relpath(artefact, link.parent))

    def is_newest(self, name: str, artefact: Path) -> bool:
        """Return whether `newest(name)` is a link to this artefact, which exists."""
        return artefact.exists() and self.newest(name).resolve() == artefact.resolve()


def shard_name(shard: int) -> str:
    """Return the name of a shard, such as `shard-00042`."""
    return f"shard-{shard:05d}"


def outcomes_path(shard: Path) -> Path:
    """Return the path of the table of outcomes of a shard of sketches or lines."""
    return shard.with_suffix(".outcomes.parquet")


def manifest_path(artefact: Path) -> Path:
    """Return the path of an artefact's manifest: in the folder, or beside the file."""
    return artefact.with_suffix(".json") if artefact.suffix else artefact / "manifest.json"


def size_of(artefact: Path) -> int:
    """Return the size in bytes of a file, or of all files in a folder."""
    files = artefact.rglob("*") if artefact.is_dir() else [artefact]
    return sum(file.stat().st_size for file in files if file.is_file())


def digest(rows: Mapping[int, str]) -> str:
    """Return a sha256 of a text per post id, as 64 hex digits; their order does not matter."""
    sha256 = hashlib.sha256()
    for post_id, text in sorted(rows.items()):
        sha256.update(f"{post_id}\t{text}\n".encode())
    return sha256.hexdigest()
