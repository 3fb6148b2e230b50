"""Walk through a folder of pictures, in an order that no file system changes."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sketch_models.errors import SengaError

_OF_SYSTEMS = frozenset(("thumbs.db", "desktop.ini", "@eadir", "__macosx"))
"""Names, in lower case, of what file managers and network storage leave in folders."""


@dataclass(frozen=True)
class FoundFile:
    """A file, with what tells whether it has changed.

    Attributes:
        name: without its folder.
        size: in bytes.
        modified: time of the last change, in ns since 1970.
    """

    name: str
    size: int
    modified: int


@dataclass
class FoundFolder:
    """What is directly in one folder.

    Attributes:
        path: relative to where the walk began, `/` between the parts; empty for that itself.
        files: in ascending order of the bytes of their names.
        skipped: paths that are neither files nor folders that are walked through, each with a
            code of `metadata.REASONS`.
    """

    path: str
    files: list[FoundFile] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def path_of(self, name: str) -> str:
        """Return the path of a file in it, relative to where the walk began."""
        return f"{self.path}/{name}" if self.path else name


def walk(
    root: Path,
    *,
    follow_links: bool = False,
    leave_out: Collection[Path] = (),
    option: str = "folder",
) -> Iterator[FoundFolder]:
    """Yield a folder and all folders below it; hidden files and folders are left out.

    Memory is bounded by the largest of them, as long as links are not followed.

    Args:
        root: where to begin.
        follow_links: whether symbolic links are followed, wherever they lead; without, each is
            skipped. One that leads back to a folder around it is skipped, too.
        leave_out: resolved paths of folders to leave out.
        option: of [metadata] that names `root`, for a message.

    Raises:
        SengaError: if `root` is no folder, or cannot be read.
    """
    if not root.is_dir():
        place = "folder" if option == "folder" else "file or folder"
        raise SengaError(f"[metadata] {option} = {root}: there is no such {place}. Check the path.")
    try:
        os.scandir(root).close()
    except OSError as error:
        message = f"[metadata] {option} = {root} cannot be read ({error.strerror})."
        raise SengaError(message) from error
    yield from _walk(root, "", follow_links, frozenset(leave_out), (_identity(root),))


def digest_of_folder(
    root: Path,
    *,
    follow_links: bool = False,
    leave_out: Collection[Path] = (),
    option: str = "folder",
) -> str:
    """Return a sha256 of names, sizes and times of all files; no file is opened."""
    state = hashlib.sha256()
    for folder in walk(root, follow_links=follow_links, leave_out=leave_out, option=option):
        for file in folder.files:
            path = os.fsencode(folder.path_of(file.name))
            state.update(b"%d %b\0%d %d\n" % (len(path), path, file.size, file.modified))
        for name, code in folder.skipped:
            path = os.fsencode(name)
            state.update(b"%d %b\0%b\n" % (len(path), path, code.encode()))
    return state.hexdigest()


def _walk(
    root: Path,
    path: str,
    follow_links: bool,
    leave_out: Collection[Path],
    around: tuple[tuple[int, int], ...],
) -> Iterator[FoundFolder]:
    """Walk through one folder and those in it.

    Args:
        root: where the walk began.
        path: of the folder, relative to `root`.
        follow_links: as for `walk`.
        leave_out: as for `walk`.
        around: identities of this folder and those around it.
    """
    found = FoundFolder(path)
    inner: list[tuple[str, tuple[int, int]]] = []
    try:
        with os.scandir(root / path) as entries:
            visible = sorted(filter(_is_visible, entries), key=lambda each: os.fsencode(each.name))
    except OSError:
        found.skipped.append((path, "unreadable"))
        visible = []
    for entry in visible:
        code = _place(entry, follow_links, around, found.files, inner)
        if code:
            found.skipped.append((found.path_of(entry.name), code))
    yield found
    for name, identity in inner:
        inside = found.path_of(name)
        if not leave_out or (root / inside).resolve() not in leave_out:
            yield from _walk(root, inside, follow_links, leave_out, (*around, identity))


def _is_visible(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.name.lower() not in _OF_SYSTEMS


def _place(
    entry: os.DirEntry[str],
    follow_links: bool,
    around: Collection[tuple[int, int]],
    files: list[FoundFile],
    folders: list[tuple[str, tuple[int, int]]],
) -> str:
    """Put an entry among the files or the folders; return a code if it is neither."""
    try:
        if entry.is_symlink() and not follow_links:
            return "symbolic_link"
        facts = entry.stat()
    except OSError:
        return "symbolic_link" if entry.is_symlink() else "unreadable"
    if stat.S_ISREG(facts.st_mode):
        files.append(FoundFile(entry.name, facts.st_size, facts.st_mtime_ns))
        return ""
    if not stat.S_ISDIR(facts.st_mode):
        return "no_file"
    identity = (facts.st_dev, facts.st_ino)
    if identity in around:
        return "link_loop"
    folders.append((entry.name, identity))
    return ""


def _identity(folder: Path) -> tuple[int, int]:
    facts = folder.stat()
    return (facts.st_dev, facts.st_ino)
