"""Commands and examples in README, CONTRIBUTING, docs/ and the model card run.

Every command of the `sh` blocks and every `python` block of a page runs in its order, in a folder
in which the sample dataset has been built, beside two folders of pictures. If a command needs a
network, weights, a GPU or minutes, only its arguments are parsed, by the program's own parser. The
recipes are made small.
"""

import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from configparser import ConfigParser
from dataclasses import dataclass, fields
from importlib.metadata import metadata
from pathlib import Path
from types import ModuleType
from urllib.parse import urlsplit

import pytest
from PIL import Image

from pipeline.demo.app import create_app
from pipeline.demo.models import Models
from pipeline.demo.options import DemoOptions
from pipeline.demo.worker import Worker
from pipeline.draw.folder_options import FolderOptions
from pipeline.programs import PROGRAMS
from pipeline.sample_booru.artist.draw import draw
from pipeline.shard import write_shard
from pipeline.tables import measures, metrics, outcomes, posts
from tasks.config import LUIGI_SECTIONS, SECTIONS
from tasks.words import WORDS

TOP = Path(__file__).parents[1]
PAGES = {
    str(path.relative_to(TOP)): path
    for path in (
        TOP / "README.md",
        TOP / "CONTRIBUTING.md",
        TOP / "sketch_models" / "shipped" / "README.md",
        TOP / "pipeline" / "demo" / "model" / "README.md",
        *sorted((TOP / "docs").glob("*.md")),
    )
}
TEXTS = {name: path.read_text(encoding="utf-8") for name, path in PAGES.items()}
FLAGS = {
    f"--{section}-{key.name}".replace("_", "-")
    for section, options in SECTIONS.items()
    for key in fields(options)
}
FLAGS |= {f"--{key.name}".replace("_", "-") for key in fields(FolderOptions)}
PREFIXES = tuple(f"--{section}-".replace("_", "-") for section in SECTIONS)

# Words of commands of senga that are only parsed, and what running them needs.
ELSEWHERE = {
    "configs/upper_body.cfg": "metadata and weights",
    "configs/demo.cfg": "hours",
    "api": "a board",
    "csv": "metadata",
    "train.parquet": "a table with pictures",
    "posts.jsonl.gz": "metadata",
    "posts.json": "metadata",
    "labels.csv": "metadata",
    "user/name": "the hub",
    "sketchkeras": "weights",
    "EvaluateColorizer": "another training, and a minute",
    "evaluate": "another training, and a minute",
    "TrainLines": "hours",
}
# Beginnings of other commands that are only parsed.
CHECKED = [
    "senga demo",  # serves until it is stopped
    "senga weights fetch",
    "senga weights verify",
    "python benchmarks/",
]
# Options that make a recipe small.
SMALL = {
    "metadata": {"sample_posts": "60"},
    "split": {"test_size": "3"},
    "sketch": {"size": "128"},
    "pack": {"size": "64"},
    "colorizer": {
        "width": "4",
        "map_width": "8",
        "hidden": "8",
        "latent_dim": "8",
        "encoder_width": "4",
        "discriminator_width": "4",
    },
    "train": {"epochs": "1", "batch_size": "4", "num_workers": "0"},
}
# For luigi.cfg: as many pictures as the README says, but smaller.
SMALLER_PICTURES = {
    "screen": {"min_side": "64"},
    "download": {"requests_per_second": "0"},
    "sketch": {"size": "256"},
    "pack": {"size": "64"},
    "compute": {"device": "cpu"},
}


# Parsing of the pages


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, and where its text begins."""

    page: str
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """A command line, in words; `then` is what its output goes through."""

    where: str
    text: str
    environment: dict[str, str]
    words: list[str]
    then: list[str]


def blocks(page: str) -> list[Block]:
    fence = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    text = TEXTS[page]
    return [
        Block(page, text[: found.start(2)].count("\n") + 1, found[1], found[2])
        for found in fence.finditer(text)
    ]


def parse(where: str, text: str) -> Command | None:
    """Parse a line; return its command, or None if it has none."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words = list(lexer)
    if not words:
        return None
    environment = {}
    while re.match(r"[A-Z_]+=", words[0]):
        name, _, environment[name] = words.pop(0).partition("=")
    end = words.index("|") if "|" in words else len(words)
    return Command(where, text, environment, words[:end], words[end:])


def commands(block: Block) -> Iterator[Command]:
    for number, line in enumerate(block.text.splitlines(), block.line):
        command = parse(f"{block.page}:{number}", line)
        if command:
            yield command


def inline_commands(page: str) -> list[Command]:
    """Commands in the running text."""
    prose = re.sub(r"^```.*?^```$", "", TEXTS[page], flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`((?:[A-Z_]+=\S+ )?(?:luigi|make|pip|python|senga) [^`]+)`", prose)
    found = [parse(page, span) for span in spans]
    return [command for command in found if command]


# The folder in which commands run


class Clone:
    """A folder like a clone of the repository, with small recipes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("benchmarks", "pipeline", "senga", "sketch_models", "tasks"):
            (folder / name).symlink_to(TOP / name)
        for name in ("docs", "configs", "weights"):
            (folder / name).mkdir()
        numbered = [f"pictures/{number}.png" for number in range(2, 6)]
        drawn = ["pictures/girl/001.jpg", *numbered, "scans/page.png"]
        for number, name in enumerate(drawn):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(draw(number).color).resize((96, 96)).save(folder / name)
        post = '{"tags": "solo white_background", "rating": "s"}'
        for name in drawn[:-1]:
            (folder / f"{name}.json").write_text(post, encoding="utf-8")
        (folder / "tars").mkdir()
        contents = [(folder / name).read_bytes() for name in numbered]
        samples = [(number, {"png": each}) for number, each in enumerate(contents, start=1)]
        write_shard(folder / "tars" / "00000.tar", samples)
        for recipe in (TOP / "configs").glob("*.cfg"):
            self.shrink(recipe, SMALL)
        self.shrink(TOP / "luigi.cfg", SMALLER_PICTURES)
        evaluated = folder / "data" / "quick"  # as EvaluateColorizer would leave it
        evaluated.mkdir(parents=True)
        (evaluated / "evaluation.html").touch()
        shutil.copy(TOP / "pipeline" / "demo" / "model" / "metrics.json", evaluated)

    def shrink(self, recipe: Path, small: dict[str, dict[str, str]]) -> None:
        """Copy a recipe, with other values."""
        config = ConfigParser(interpolation=None)
        config.read_string(recipe.read_text(encoding="utf-8"))
        config.read_dict(small)
        with (self.folder / recipe.relative_to(TOP)).open("w", encoding="utf-8") as file:
            config.write(file)

    def run(
        self,
        where: str,
        words: list[str],
        environment: dict[str, str] | None = None,
        folder: Path | None = None,
    ) -> str:
        """Run Python with arguments; return its output."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}
        ours = {
            "PYTHONPATH": str(TOP),
            "SENGA_WEIGHTS": str(self.folder / "weights"),
            "HF_HOME": str(self.folder / "hub"),
            "HF_HUB_OFFLINE": "1",
        }
        done = subprocess.run(
            [sys.executable, *words],
            cwd=folder or self.folder,
            env=kept | ours | (environment or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{where}: {shlex.join(words)}\n{done.stdout}"
        assert "Traceback" not in done.stdout, f"{where}: {shlex.join(words)}\n{done.stdout}"
        return done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone in which `make dataset` has run; later builds have fewer pictures."""
    clone = Clone(tmp_path_factory.mktemp("clone"))
    said = clone.run("make dataset", ["-m", "senga", "BuildDataset"])
    (printed,) = [block.text for block in blocks("README.md") if not block.language]
    assert said.endswith(printed)
    clone.shrink(TOP / "luigi.cfg", {**SMALL, **SMALLER_PICTURES})
    return clone


# Running or checking a command


def follow(command: Command, clone: Clone) -> None:
    """Run a command, or only check it if it cannot run here."""
    programs = {
        ".": _activate,
        "curl": _curl,
        "make": _make,
        "pip": _pip,
        "python": _python,
        "ruff": _ruff,
        "senga": _senga,
    }
    program = programs.get(command.words[0])
    assert program, f"{command.where}: there is no test for {command.text!r}"
    assert not command.then or command.words[0] == "curl", f"{command.where}: a pipe"
    program(command, command.words[1:], clone)


def check(command: Command, clone: Clone) -> None:
    """Check a command without running it."""
    checks = {
        "luigi": _check_luigi,
        "make": _make,
        "pip": _pip,
        "python": _check_python,
        "senga": _check_senga,
    }
    checks[command.words[0]](command, command.words[1:], clone)


def _activate(command: Command, words: list[str], _: Clone) -> None:
    """Check that the Makefile puts the environment there."""
    folder = re.search(r"^VENV := (\S+)$", (TOP / "Makefile").read_text(), re.MULTILINE)
    assert folder, "the Makefile sets no VENV"
    assert words == [f"{folder[1]}/bin/activate"], command.where


def _senga(command: Command, words: list[str], clone: Clone) -> None:
    said = [part for word in words for part in word.split(",")]
    is_checked = command.text.startswith(tuple(CHECKED)) and "--help" not in words
    if is_checked or ELSEWHERE.keys() & {*said, *command.environment.values()}:
        _check_senga(command, words, clone)
    else:
        clone.run(command.where, ["-m", "senga", *words], command.environment)


def _check_senga(command: Command, words: list[str], clone: Clone) -> None:
    word, *rest = words
    if word in PROGRAMS:
        _check_python(command, ["-m", PROGRAMS[word].module, *rest], clone)
    else:
        task = WORDS[word].task if word in WORDS else word
        if word in WORDS and rest and not rest[0].startswith("-"):  # `pictures` is not there
            rest[:1] = ["--metadata-folder", rest[0]]
        _check_luigi(command, ["--module", "tasks", task, *rest], clone)


def _check_luigi(command: Command, words: list[str], clone: Clone) -> None:
    """Check that Luigi knows the task and its options, and that their values are valid."""
    code = (
        "import sys\n"
        "from luigi.cmdline_parser import CmdlineParser\n"
        "with CmdlineParser.global_instance(sys.argv[1:]):\n"
        "    from tasks import config\n"
        "    config.check()\n"
    )
    clone.run(command.where, ["-c", code, *words], command.environment, TOP)


def _python(command: Command, words: list[str], clone: Clone) -> None:
    if words[:2] == ["-m", "pytest"]:
        clone.run(command.where, [*words, "--collect-only", "--quiet"], folder=TOP)
    elif command.text.startswith(tuple(CHECKED)) and "--help" not in words:
        _check_python(command, words, clone)
    else:
        clone.run(command.where, words, command.environment)


def _check_python(command: Command, words: list[str], clone: Clone) -> None:
    """Check that the program's own parser accepts the arguments."""
    if "--help" in words:
        clone.run(command.where, words)
        return
    code = (
        "import argparse, os, runpy, sys\n"
        "real = argparse.ArgumentParser.parse_args\n"
        "def parse_args(self, args=None, namespace=None):\n"
        "    self.allow_abbrev = False\n"
        "    real(self, args, namespace)\n"
        "    print('accepted', flush=True)\n"
        "    os._exit(0)\n"
        "argparse.ArgumentParser.parse_args = parse_args\n"
        "flag, name = sys.argv.pop(1), sys.argv[1]\n"
        "del sys.argv[0]\n"
        "if flag == '-m':\n"
        "    runpy.run_module(name, run_name='__main__', alter_sys=True)\n"
        "else:\n"
        "    sys.path.insert(0, os.path.dirname(name))\n"
        "    runpy.run_path(name, run_name='__main__')\n"
    )
    program = words if words[0] == "-m" else ["", *words]
    said = clone.run(command.where, ["-c", code, *program], command.environment)
    assert said.endswith("accepted\n"), (
        f"{command.where}: {words[:2]} does not parse its arguments\n{said}"
    )


def _make(command: Command, words: list[str], _: Clone) -> None:
    """Check that the Makefile has the target and the variables, and that CONFIG exists."""
    makefile = (TOP / "Makefile").read_text(encoding="utf-8")
    for name, equals, value in (word.partition("=") for word in words):
        if equals:
            assert re.search(rf"^{name} \?=", makefile, re.MULTILINE), f"{command.where}: {name}"
            assert name != "CONFIG" or (TOP / value).is_file(), f"{command.where}: {value}"
    done = subprocess.run(["make", "-n", *words], cwd=TOP, capture_output=True, text=True)
    assert done.returncode == 0, f"{command.where}: {done.stderr}"


def _pip(command: Command, words: list[str], _: Clone) -> None:
    """Check that pyproject.toml has the extras."""
    assert words[0] == "install", command.where
    extras = {extra for word in words for extra in re.findall(r"^\.\[(.+)\]$", word)}
    assert extras <= set(metadata("senga").get_all("Provides-Extra") or []), command.where


def _ruff(command: Command, words: list[str], clone: Clone) -> None:
    """Check that there is nothing to fix; change nothing."""
    clone.run(command.where, ["-m", "ruff", *words, "--diff"], folder=TOP)


def _curl(command: Command, words: list[str], clone: Clone) -> None:
    """Send the request to a demo; its response has the field that the command reads."""
    (address,) = [word for word in words if word.startswith("http")]
    name, _, file = words[words.index("-F") + 1].partition("=@")
    key = re.fullmatch(r"\| jq -r \.(\w+) \| base64 -d > \S+\.png", " ".join(command.then))
    assert key, command.where
    line = io.BytesIO()
    Image.new("L", (40, 30), 255).save(line, "PNG")
    line.seek(0)
    options = DemoOptions(device="cpu")
    assert urlsplit(address).port == options.port
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SENGA_WEIGHTS", str(clone.folder / "weights"))
        models = Models.load(options)
    worker = Worker(models, options.queue)
    app = create_app(models, worker, options)
    with app.test_client() as client:
        answer = client.post(
            urlsplit(address).path,
            data={name: (line, file)},
            base_url=f"http://{urlsplit(address).netloc}",
        )
    worker.close()
    assert answer.status_code == 200, f"{command.where}: {answer.text}"
    with Image.open(io.BytesIO(b64decode(answer.json[key[1]]))) as painted:
        assert painted.size == (40, 30)


# The tests


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_examples_run(page: str, clone: Clone) -> None:
    if "data/sample" in TEXTS[page]:  # as `make dataset` leaves it, not an earlier page
        clone.run(page, ["-m", "senga", "BuildDataset"])
    for block in blocks(page):
        if block.language == "sh":
            for command in commands(block):
                follow(command, clone)
        elif block.language == "python":
            leaves_open = ["-W", "ignore::ResourceWarning"] if "webdataset" in block.text else []
            clone.run(block.where, ["-W", "error", *leaves_open, "-c", block.text])
        elif block.language == "ini":
            config = ConfigParser(interpolation=None)
            config.read_string(block.text)
            for section in set(config.sections()) - LUIGI_SECTIONS:
                known = {key.name for key in fields(SECTIONS[section])}
                assert set(config[section]) <= known, block.where
        else:
            assert block.language in ("", "mermaid"), f"{block.where}: what is {block.language}?"


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_the_text_are_valid(page: str, clone: Clone) -> None:
    for command in inline_commands(page):
        check(command, clone)


@pytest.mark.parametrize("page", PAGES)
def test_options_in_the_text_exist(page: str) -> None:
    for section, first, more in re.findall(
        r"`\[([a-z_]+)\] ([a-z_0-9]+)(?: = [^`]*)?`((?:, `[a-z_0-9]+`)*)", TEXTS[page]
    ):
        known = {key.name for key in fields(SECTIONS[section])}
        assert {first, *re.findall(r"[a-z_0-9]+", more)} <= known, f"{page}: [{section}] {first}"
    for flag in re.findall(r"`(--[a-z-]+)(?: [^`]*)?`", TEXTS[page]):
        assert flag in FLAGS or not flag.startswith(PREFIXES), f"{page}: {flag}"


@pytest.mark.parametrize("page", PAGES)
def test_files_in_the_text_exist(page: str) -> None:
    folders = "benchmarks|configs|docs|pipeline|senga|sketch_models|tasks|tests"
    for name in re.findall(rf"`((?:{folders})/[^` <>]*)`", TEXTS[page]):
        assert (TOP / name).exists(), f"{page}: {name}"


@pytest.mark.parametrize("table", [measures, metrics, outcomes, posts])
def test_columns_of_tables_are_all_listed(table: ModuleType) -> None:
    name = f"read_{table.__name__.rpartition('.')[2]}"
    row = re.search(rf"^\| `{name}` \|[^|]*\|([^|]*)\|$", TEXTS["docs/python.md"], re.MULTILINE)
    assert row is not None
    assert set(re.findall(r"`(\w+)`", row[1])) == set(table._DTYPES)


@pytest.mark.parametrize("page", PAGES)
def test_links_have_targets(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", TEXTS[page]):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = (PAGES[page].parent / name).resolve() if name else PAGES[page]
        assert path.exists(), f"{page}: {target}"
        if anchor:
            assert anchor in anchors(path.read_text(encoding="utf-8")), f"{page}: {target}"


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in headings}


def test_readme_has_at_most_90_lines() -> None:
    assert len(TEXTS["README.md"].splitlines()) <= 90


def test_readme_links_every_page() -> None:
    others = [page for page in PAGES if page != "README.md"]
    assert not [page for page in others if f"({page})" not in TEXTS["README.md"]]
