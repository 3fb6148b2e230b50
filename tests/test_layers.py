"""The packages import one way: tasks -> pipeline -> sketch_models."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
FORBIDDEN = {
    "sketch_models": {"pipeline", "tasks", "luigi"},
    "pipeline": {"tasks", "luigi"},
    "tasks": {"torch", "tensorflow", "cv2", "numpy", "PIL"},
}


def imports(file: Path) -> set[str]:
    """Top-level packages that a source file imports, at its top or in its functions."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_run_one_way(package: str) -> None:
    files = list((TOP / package).rglob("*.py"))
    assert files
    broken = {file.name: imports(file) & FORBIDDEN[package] for file in files}
    assert not {name: found for name, found in broken.items() if found}


def test_importing_tasks_loads_no_network_library() -> None:
    code = "import tasks, sys; print([m for m in ('torch', 'tensorflow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=TOP)
    assert done.stdout.strip() == "[]", done.stderr


def test_torch_is_there_to_be_loaded() -> None:
    """Else the test above could not fail."""
    code = "import importlib.util as u, sys; sys.exit(u.find_spec('torch') is None)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
