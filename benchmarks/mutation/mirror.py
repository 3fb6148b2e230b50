"""Which tests mirror a module."""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.mutation.runner import TOP


def mirrored_tests(module: str, *, near: bool = False, top: Path = TOP) -> list[str]:
    """Return the files of tests that mirror a module, relative to the repository.

    They are `tests/<folder>/test_<name>.py`; or if there is none, the tests in that folder that
    import the module, or in the nearest folder above that has such tests.

    Args:
        module: its file, relative to the repository.
        near: return both.
        top: the repository.
    """
    folder = top / "tests" / Path(module).parent
    mirror = folder / f"test_{Path(module).stem}.py"
    found = [mirror] if mirror.exists() else []
    while (near or not found) and folder != top:
        near, folder, beside = False, folder.parent, sorted(folder.glob("test_*.py"))
        found += [file for file in beside if _imports(file, module)]
    if not found:
        raise SystemExit(f"{module}: no test of its folder, or of one above it, imports it.")
    return list(dict.fromkeys(str(file.relative_to(top)) for file in found))


def _imports(test: Path, module: str) -> bool:
    package, _, name = module.removesuffix(".py").replace("/", ".").rpartition(".")
    text = test.read_text(encoding="utf-8")
    beside = re.compile(rf"^from {re.escape(package)} import [^\n]*\b{name}\b", re.MULTILINE)
    return bool(re.search(rf"\b{re.escape(package)}\.{name}\b", text) or beside.search(text))
