"""Atomic writes of files and folders, and a lock; no write follows a symbolic link."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

_FSYNC_THREADS = 16
"""A disk writes what many threads wait for at once, several times as fast as one by one."""


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Lock `path` for one thread of one process at a time; create its folder.

    Raises:
        OSError: If the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open_append(path.parent / f".{path.name}.lock") as lock:
        # Some network file systems have no locks: at worst, work is done twice.
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def open_append(path: Path) -> BinaryIO:
    """Open a file to append to it; make it if it does not exist.

    Raises:
        OSError: If it cannot be written, or is a symbolic link, which may lead anywhere (ELOOP).
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    return os.fdopen(os.open(path, flags, 0o644), "ab")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and move what the block wrote there to `path`.

    The block may write a file or make a folder. Readers see the old one or the complete new one.
    If the block raises, what it wrote is deleted and `path` is as before.

    Raises:
        OSError: no space, no permission, and the like.
    """
    writer = f"{socket.gethostname()}-{os.getpid()}-{threading.get_ident()}"
    temporary = path.with_name(f".{path.name}.{writer}.tmp")
    delete(temporary)  # a link of that name would be followed
    try:
        yield temporary
        if temporary.is_symlink():
            temporary.replace(path)  # never a folder, which may be somebody's own
        elif temporary.is_dir():
            replace_folder(temporary, path)
        else:
            _fsync(temporary)
            temporary.replace(path)
    finally:
        delete(temporary)


def delete(path: Path) -> None:
    """Delete a file, a link, or a folder with all that is in it, if it exists."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def replace_folder(new: Path, path: Path) -> None:
    """Move a finished folder to `path` on the same disk; what was there before is deleted."""
    files = [file for file in new.rglob("*") if file.is_file()]
    with ThreadPoolExecutor(_FSYNC_THREADS) as pool:
        list(pool.map(_fsync, files))
    old = new.with_suffix(".old")
    if path.exists():
        path.replace(old)
    new.replace(path)
    delete(old)


def _fsync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
