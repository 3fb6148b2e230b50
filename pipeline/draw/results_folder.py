"""The folder of the results of drawing a folder of pictures: names, settings, errors."""

from __future__ import annotations

import csv
import errno
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.picture import PictureError
from sketch_models.atomic import replacing
from sketch_models.errors import SengaError

_BAD_NAME = {errno.ENAMETOOLONG, errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY}
# What is wrong with the name of one file, rather than with the disk.

_OPTIONS = {
    "line_model": "the weights or options of the line model",
    "sketch_model": "the weights or options of the sketch model",
    "version": "the version of Senga's drawings",
}


class ResultsFolder:
    """A folder of results.

    `settings.json` holds the settings of all of them. A result is done if it is newer than these
    and than its picture.

    Args:
        root: the folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._settings = root / "settings.json"
        self._errors = root / "errors.csv"
        self._since = 0  # modification time in ns; older results have other settings

    def open(self, settings: Mapping[str, object], *, overwrite: bool) -> None:
        """Make the folder for these settings, or go on with what is there.

        Args:
            settings: what the results depend on, as plain data.
            overwrite: whether older results count as not done, and may have other settings.

        Raises:
            SengaError: If its results have other settings, or it cannot be written.
        """
        stored = None if overwrite else self._read_settings()
        if stored is None:
            self._write_settings(settings)
            return
        changes = [
            _change(key, stored["settings"].get(key), settings.get(key))
            for key in [*settings, *(key for key in stored["settings"] if key not in settings)]
            if stored["settings"].get(key) != settings.get(key)
        ]
        if changes:
            raise SengaError(
                f"{self.root} has results of other settings: {'; '.join(changes)}. Choose another "
                "folder, or draw everything again with --overwrite."
            )
        self._since = stored["since"]

    def _read_settings(self) -> dict[str, Any] | None:
        try:
            stored = json.loads(self._settings.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            stored = None
        match stored:
            case {"settings": dict(), "since": int()}:
                return dict(stored)
        raise SengaError(
            f"{self._settings} cannot be read, so that the settings of the results are not known. "
            "Choose another folder, or draw everything again with --overwrite."
        )

    def _write_settings(self, settings: Mapping[str, object]) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with replacing(self._settings) as temporary:
                temporary.touch()
                # The clock of the file system, which may be another machine's.
                self._since = temporary.stat().st_mtime_ns
                content = {"settings": settings, "since": self._since}
                temporary.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        except OSError as error:
            raise self._unwritable(self.root, error) from error

    def is_done(self, picture: Path, results: Iterable[Path]) -> bool:
        """Return whether all results of a picture are there, and are not older than it.

        Args:
            picture: path of the picture.
            results: paths of its results in the folder.
        """
        try:
            oldest = max(self._since, picture.stat().st_mtime_ns)
            return all((self.root / path).stat().st_mtime_ns >= oldest for path in results)
        except OSError:  # there is no such file
            return False

    def write(self, path: Path, content: bytes) -> None:
        """Write one result, whole or not at all.

        Args:
            path: in the folder.
            content: of the file.

        Raises:
            PictureError: `bad_name` if no file can have this name.
            SengaError: If nothing can be written.
        """
        target = self.root / path
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with replacing(target) as temporary:
                temporary.write_bytes(content)
        except OSError as error:
            if error.errno in _BAD_NAME:
                raise PictureError("bad_name", f"{target}: {error.strerror}") from error
            raise self._unwritable(target, error) from error

    def write_errors(self, rows: Sequence[tuple[str, str, str]]) -> Path | None:
        """Write the table of pictures that could not be drawn; delete that of an earlier run.

        Args:
            rows: path of the picture, code, detail.

        Returns:
            The path of the table, or None if there are no rows.

        Raises:
            SengaError: If it cannot be written.
        """
        try:
            if not rows:
                self._errors.unlink(missing_ok=True)
                return None
            with (
                replacing(self._errors) as temporary,
                # Names of files are bytes, which need not be valid text.
                temporary.open(
                    "w", encoding="utf-8", errors="backslashreplace", newline=""
                ) as file,
            ):
                csv.writer(file).writerows([("picture", "code", "detail"), *rows])
        except OSError as error:
            raise self._unwritable(self._errors, error) from error
        return self._errors

    @staticmethod
    def _unwritable(path: Path, error: OSError) -> SengaError:
        return SengaError(
            f"{path} cannot be written ({error.strerror or type(error).__name__}). Make room or "
            "choose another folder for the results, then run again: it goes on from there."
        )


def _change(key: str, old: object, new: object) -> str:
    if key in _OPTIONS:
        return f"{_OPTIONS[key]} changed"
    return f"--{key.replace('_', '-')} was {_text(old)}, now {_text(new)}"


def _text(value: object) -> str:
    return "not given" if value is None else str(value).lower()


def result_names(pictures: Sequence[Path]) -> list[Path]:
    """Return the names of the results of pictures, without two of one name.

    `girl/001.jpg` becomes `girl/001.png`, or `girl/001.jpg.png` if there is a `girl/001.png` too,
    and whatever the order in which pictures are added.

    Args:
        pictures: paths of the pictures in their folder, all of them.
    """
    short = [picture.with_suffix(".png") for picture in pictures]
    long = [picture.with_name(f"{picture.name}.png") for picture in pictures]
    counts = Counter(map(_key, short))
    taken = {*map(_key, long), *(_key(each) for picture in pictures for each in picture.parents)}
    return [
        full if counts[_key(name)] > 1 or _key(name) in taken else name
        for name, full in zip(short, long, strict=True)
    ]


def _key(path: Path) -> str:
    return str(path).casefold()  # some file systems do not tell a.png from A.png
