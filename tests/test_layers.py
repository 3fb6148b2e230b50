"""The ladder of imports: senga -> tasks -> pipeline -> sketch_models, and the rooms of pipeline."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
PACKAGES = ("senga", "tasks", "pipeline", "sketch_models")
FORBIDDEN = {
    "sketch_models": {"pipeline", "tasks", "senga", "luigi"},
    "pipeline": {"tasks", "senga", "luigi"},
    "tasks": {"senga", "torch", "tensorflow", "cv2", "numpy", "PIL"},
}

# A room may import those before it in its ladder, and the ground floor: the files beside the rooms.
LADDER = (
    "posts",
    "collect",
    "screen",
    "draw",
    "pack",
    "pairs",
    "report",
    "export",
    "colorizer",
    "tables",
    "demo",
)
COLORIZER = ("networks", "training", "evaluation")
WEIGHTS, PERCEPTUAL = "weights", "perceptual"
APART = {
    "sample_booru": {"demo", "artbook"},
    "artbook": {"line_training", "pairs"},
    "training": {"colorizer", "line_training"},
    "line_training": set(),
}
"""Rooms beside the ladder, and the rooms that may import them; of others they import none."""

FLOORS_OF_THE_COLORIZER = {
    "networks": {"options"},  # what else lies beside the networks is made of them
    "": {"networks"},
    "training": {"networks", ""},
    "evaluation": {"networks", "", "training"},
}
"""What each part of the colorizer may import of its others; "" are the files beside the folders."""


def modules() -> dict[str, Path]:
    """Return every module of the packages, by its dotted name."""
    files = [file for package in PACKAGES for file in (TOP / package).rglob("*.py")]
    return {
        ".".join(file.relative_to(TOP).with_suffix("").parts).removesuffix(".__init__"): file
        for file in files
    }


MODULES = modules()


def imported(file: Path) -> Iterator[str]:
    """Yield the imports of a source file, also of its functions: `a.b`, or `a.b.name`."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                yield inner if inner in MODULES else str(node.module)


IMPORTS = {name: set(imported(file)) for name, file in MODULES.items()}


def room(name: str, inside: str) -> str | None:
    """Return the room of a module in a package; "" for files beside the rooms, None for others."""
    if not name.startswith(f"{inside}."):
        return None
    first = name.removeprefix(f"{inside}.").partition(".")[0]
    return first if (TOP / inside.replace(".", "/") / first).is_dir() else ""


def crossings(inside: str) -> set[tuple[str, str, str, str]]:
    """Return the imports from one room of a package to another: both rooms, both modules."""
    edges = set()
    for name, targets in IMPORTS.items():
        start = room(name, inside)
        for target in targets:
            end = room(target, inside)
            if start is not None and end is not None and start != end:
                edges.add((start, end, name, target))
    return edges


@pytest.mark.parametrize("package", FORBIDDEN)
def test_packages_import_one_way(package: str) -> None:
    names = [name for name in IMPORTS if name.partition(".")[0] == package]
    assert names
    broken = [
        (name, target)
        for name in names
        for target in IMPORTS[name]
        if target.partition(".")[0] in FORBIDDEN[package]
    ]
    assert not broken


def test_rooms_import_those_before_them() -> None:
    edges = crossings("pipeline")
    assert {(start, end) for start, end, *_ in edges} >= {("colorizer", "pack"), ("pack", "")}
    broken = []
    for start, end, *names in edges:
        if end in APART:
            allowed = start in APART[end]
        elif start == "" or start in APART:
            allowed = end == ""
        else:
            allowed = end == "" or LADDER.index(end) < LADDER.index(start)
        if not allowed:
            broken.append(names)
    assert not broken


def test_parts_of_the_colorizer_import_one_way() -> None:
    edges = crossings("pipeline.colorizer")
    assert {start for start, *_ in edges} == set(FLOORS_OF_THE_COLORIZER)
    broken = [
        (name, target)
        for start, end, name, target in edges
        if end not in FLOORS_OF_THE_COLORIZER[start]
        and target.rpartition(".")[2] not in FLOORS_OF_THE_COLORIZER[start]
    ]
    assert not broken


def test_the_artist_knows_nothing_of_the_booru() -> None:
    edges = {(start, end) for start, end, *_ in crossings("pipeline.sample_booru")}
    assert ("", "artist") in edges
    assert ("artist", "") not in edges


def test_weight_files_know_nothing_of_the_networks() -> None:
    edges = crossings("sketch_models")
    assert {("perceptual", "weights"), ("", "weights")} <= {
        (start, end) for start, end, *_ in edges
    }
    shared = {"atomic", "closing", "errors", "progress_line"}
    broken = [
        (name, target)
        for start, end, name, target in edges
        if (start == "weights" and target.rpartition(".")[2] not in shared)
        or (start == "perceptual" and end == "" and target.rpartition(".")[2] not in shared)
    ]
    assert not broken


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {name: targets & MODULES.keys() - {name} for name, targets in IMPORTS.items()}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError
    assert set(order) == set(MODULES)


def test_every_room_is_on_the_ladder_and_says_what_it_is() -> None:
    rooms = {file.parent for file in (TOP / "pipeline").rglob("*.py")} - {TOP / "pipeline"}
    below = {str(folder.relative_to(TOP / "pipeline")) for folder in rooms}
    inner = {f"colorizer/{name}" for name in COLORIZER} | {
        "sample_booru/apis",
        "sample_booru/artist",
        "posts/boards",
    }
    assert below == {*LADDER, *APART, *inner}
    for folder in [*rooms, *(TOP / "sketch_models" / name for name in (WEIGHTS, PERCEPTUAL))]:
        text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        assert text, folder
        assert text.endswith("."), folder
        assert "\n" not in text, folder


def test_senga_only_re_exports_the_other_packages() -> None:
    assert [name for name in MODULES if name.partition(".")[0] == "senga"] == [
        "senga",
        "senga.__main__",
    ]
    own = {target.partition(".")[0] for target in IMPORTS["senga"]}
    assert own == {"__future__", "importlib", "typing", "sketch_models", "pipeline", "tasks"}


def test_importing_tasks_loads_neither_networks_nor_pandas() -> None:
    heavy = ("torch", "tensorflow", "pandas", "matplotlib")
    code = f"import tasks, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=TOP)
    assert done.stdout.strip() == "[]", done.stderr


def test_torch_is_installed() -> None:
    """Otherwise the test above could not fail."""
    code = "import importlib.util as u, sys; sys.exit(u.find_spec('torch') is None)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
