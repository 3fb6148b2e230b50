"""Who may write to a dataset: one build, or several jobs that each make other shards of it.

Like `store`, this imports no more than the standard library. The locks are the operating system's:
they end with the process, however it ends, and hold between machines that share a file system.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.store import explain_write_errors, fingerprint
from sketch_models.atomic import delete
from sketch_models.errors import SengaError

_locks: dict[Path, int] = {}  # file descriptor by folder, open for as long as the process lives
_shared: set[Path] = set()  # folders that are locked together with other processes


def lock_dataset(root: Path, *, shared: bool = False) -> None:
    """Lock a dataset for this process and its children, and delete what a killed build left.

    Calling it again in the same process does nothing.

    Args:
        root: the folder of the dataset.
        shared: whether other processes may lock it so too, at the same time. Then nothing is
            deleted: it may be theirs.

    Raises:
        SengaError: if another build has the lock, the folder cannot be written, or it or a folder
            in it is a link that leads out of the folder of the datasets.
    """
    root = root.absolute()
    if root in _locks:
        return
    with explain_write_errors(root):
        root.mkdir(parents=True, exist_ok=True)
    _refuse_link(root, root.parent)
    descriptor = _open(root / ".lock")
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = _owner(descriptor)
        os.close(descriptor)
        raise SengaError(
            f"{root} is being built by {owner}. Wait until it has ended, "
            "or choose another name with --build-dataset."
        ) from None
    _check_links(root, tidy=not shared)
    _sign(descriptor)
    _locks[root] = descriptor
    if shared:
        _shared.add(root)


@contextlib.contextmanager
def lock_artefact(root: Path, artefact: Path) -> Iterator[None]:
    """Wait until no process that shares the lock of a dataset makes an artefact of it.

    Args:
        root: the folder of the dataset; if it is locked for this process alone, nothing is done.
        artefact: a path in it. All of them are bytes of one file, so that thousands need no more.
    """
    root = root.absolute()
    if root not in _shared:
        yield
        return
    name = os.path.relpath(artefact.absolute(), root)
    descriptor = _open(root / ".artefacts.lock")
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX, 1, int(fingerprint(name)[:15], 16))
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def lock_downloads(data: Path, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other process downloads for a dataset of a folder.

    However many processes there are, on however many machines, one at a time asks the hosts.

    Args:
        data: the folder of the datasets.
        on_wait: called with who is waited for, if it has to wait.
    """
    with explain_write_errors(data):
        data.mkdir(parents=True, exist_ok=True)
    descriptor = _open(data / ".download.lock")
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait(_owner(descriptor))
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        _sign(descriptor)
        yield
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    with explain_write_errors(path):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)


def _sign(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)


def _owner(descriptor: int) -> str:
    return os.pread(descriptor, 200, 0).decode(errors="replace") or "an unknown process"


def _check_links(root: Path, *, tidy: bool) -> None:
    """Raise SengaError for a linked folder outside of `root`; delete what a killed build left."""
    for folder, folders, files in os.walk(root):  # which follows no links
        for name in (*folders, *files):
            if tidy and name.startswith(".") and name.endswith((".tmp", ".old")):
                delete(Path(folder, name))
        for name in folders:
            _refuse_link(Path(folder, name), root)


def _refuse_link(folder: Path, within: Path) -> None:
    """Raise SengaError for a link out of a folder: nothing is written there.

    Args:
        folder: that may be a link.
        within: that it must not lead out of.
    """
    if folder.is_symlink() and not folder.resolve().is_relative_to(within.resolve()):
        raise SengaError(
            f"{folder} is a link to {folder.resolve()}, outside of {within}, where nothing is "
            "written. Put a folder in its place; for another disk, set [build] data."
        )
