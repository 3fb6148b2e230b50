"""docs/configuration.md agrees with the options."""

import subprocess
import sys
from dataclasses import fields
from pathlib import Path

from luigi.cmdline_parser import CmdlineParser

from tasks import config_page
from tasks.config import SECTIONS

TOP = Path(__file__).parents[2]


def test_committed_page_is_current() -> None:
    committed = config_page.PAGE.read_text(encoding="utf-8")
    assert committed == config_page.page(), (
        f"docs/configuration.md is not what the options are now: run `{config_page.COMMAND}` "
        "and commit the page."
    )


def test_every_section_is_in_one_group() -> None:
    grouped = [name for sections in config_page.GROUPS.values() for name in sections]
    assert sorted(grouped) == sorted(SECTIONS)


def test_every_flag_is_one_that_luigi_knows() -> None:
    flags = [
        word
        for name, options in SECTIONS.items()
        for key in fields(options)
        for word in (config_page.flag(name, key.name), "x")
    ]
    with CmdlineParser.global_instance(["--module", "tasks", "BuildDataset", *flags]):
        pass  # argparse would have ended the process


def test_value_of_luigi_cfg_is_shown_beside_the_default() -> None:
    row = "| `test_size` | `--split-test-size` | `100`; in `luigi.cfg` `8` |"
    assert row in config_page.page()


def test_command_writes_the_page_without_a_network_library(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys; from tasks import config_page; "
        "config_page.PAGE = pathlib.Path(sys.argv.pop()); config_page.main(); "
        "print([name for name in ('torch', 'tensorflow') if name in sys.modules])"
    )
    written = tmp_path / "configuration.md"
    command = [sys.executable, "-c", code, str(written)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=TOP)
    assert done.stdout == f"{written}\n[]\n", done.stderr
    assert written.read_text(encoding="utf-8") == config_page.page()
