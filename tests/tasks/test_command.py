"""The command `senga`: its help, and what it says of mistakes."""

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import luigi
import pytest

from pipeline.exit_code import EXIT_NOTHING_RAN
from pipeline.programs import PROGRAMS
from sketch_models.errors import ConfigError
from tasks import catalog, command
from tasks.config import SECTIONS
from tasks.config_page import flag
from tasks.words import WORDS

TOP = Path(__file__).parents[2]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Return a list of the arguments that Luigi is run with."""
    calls: list[list[str]] = []

    def run_with_retcodes(arguments: list[str]) -> None:
        calls.append(arguments)
        raise SystemExit(0)

    monkeypatch.setattr(command, "run_with_retcodes", run_with_retcodes)
    return calls


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ("BuildDatset", "BuildDatset: there is no such task. Did you mean BuildDataset?"),
        ("builddataset", "builddataset: there is no such task. Did you mean BuildDataset?"),
        ("zzz", "zzz: there is no such task. Commands: build, "),
        ("biuld", "biuld: there is no such task. Did you mean build?"),
        ("Demmo", "Demmo: there is no such task. Did you mean demo?"),
        (
            "--pack-size 64 build",
            "build: it goes right behind senga, as in senga build --help.",
        ),
        ("--workers 2 lines", "lines: it goes right behind senga, as in senga lines --help."),
        ("build absent", "absent: there is no such folder. Behind senga build goes a folder"),
        ("train quick.cfg", "quick.cfg: a recipe goes before: LUIGI_CONFIG_PATH=quick.cfg senga"),
        ("prune tests", "tests: it belongs to no option."),
        ("build --pack-sise 3", "--pack-sise: there is no such option. Did you mean --pack-size?"),
        (
            "quick.cfg",
            "quick.cfg: expected a task; a recipe goes before: LUIGI_CONFIG_PATH=quick.cfg",
        ),
        (
            "BuildDataset --pack-sise 3",
            "--pack-sise: there is no such option. Did you mean --pack-size?",
        ),
        (
            "--pack-sise 3 BuildDataset",
            "--pack-sise: there is no such option. Did you mean --pack-size?",
        ),
        (
            "BuildDataset --pack_size=3",
            "--pack_size: there is no such option. Did you mean --pack-size?",
        ),
        ("BuildDataset --wokers 2", "--wokers: there is no such option. Did you mean --workers?"),
        ("BuildDataset --qqq", "--qqq: there is no such option."),
        ("BuildDataset --network inker", "--network: there is no such option."),
        ("BuildDataset --pack-size", "--pack-size: expected one argument."),
        (
            "BuildDataset --filter-all-tags -_-",
            "--filter-all-tags: expected one argument. A value that",
        ),
        (
            "BuildDataset --filter-all-tags a b",
            "b: it belongs to no option. Several words are one value",
        ),
        ("BuildDataset --pack 3", "ambiguous option: --pack could match --pack-size, "),
        ("RetryFailed", "RetryFailed needs --codes: outcome codes, separated by commas"),
        (
            "--pack-size 64",
            "Name a task, such as BuildDataset. Commands: build, ",
        ),
        ("--pack-siez", "--pack-siez: there is no such option. Did you mean --pack-size?"),
        ("DownloadShard --shard x", "--shard x: expected a whole number."),
        ("BuildDataset quick.cfg", "quick.cfg: a recipe goes before: LUIGI_CONFIG_PATH=quick.cfg"),
        ("BuildDataset --workers 0", "--workers = 0: expected a whole number of 1 or more."),
        ("BuildDataset --workers x", "--workers = x: expected a whole number."),
        ("BuildDataset --scheduler-port=x", "--scheduler-port = x: expected a whole number."),
        ("BuildDataset --log-level LOUD", "--log-level = LOUD: LOUD is not a valid choice"),
    ],
)
def test_mistake_is_a_sentence_with_a_suggestion(
    ran: list[list[str]], arguments: str, sentence: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        command.run(arguments.split())
    assert str(raised.value).startswith(sentence)
    assert "\n" not in str(raised.value)
    assert not ran


@pytest.mark.parametrize(
    "arguments",
    [
        "BuildDataset",
        "BuildDataset --pack-size 64 --workers=2 --local-scheduler --filter-all-tags=-_-",
        "--build-seed 3 TrainLines --network inker",
        "--module tasks BuildDataset",
        "RetryFailed --codes http_404",
        "TrainColorizer --train-ema 0.9",  # the old name, which the configuration refuses
    ],
)
def test_everything_else_goes_to_luigi_as_it_is(ran: list[list[str]], arguments: str) -> None:
    with pytest.raises(SystemExit):
        command.run(arguments.split())
    assert ran == [["--module", "tasks", *arguments.split()]]


def test_word_is_the_task_that_it_stands_for(ran: list[list[str]], tmp_path: Path) -> None:
    for name, word in WORDS.items():
        with pytest.raises(SystemExit):
            command.run([name, "--build-seed", "3"])
        assert ran.pop() == ["--module", "tasks", word.task, "--build-seed", "3"]
    with pytest.raises(SystemExit):
        command.run(["build", str(tmp_path), "--pack-size", "64"])
    assert ran == [
        [
            "--module",
            "tasks",
            "BuildDataset",
            "--metadata-folder",
            str(tmp_path),
            "--pack-size",
            "64",
        ]
    ]


def test_words_are_not_luigis(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.check_for_luigi(["--module", "tasks", "build"])
    assert capsys.readouterr().err.startswith("build: it goes right behind senga")


@pytest.mark.parametrize("module", ["--module tasks", "--module=tasks"])
def test_command_of_luigi_is_checked_alike(capsys: pytest.CaptureFixture[str], module: str) -> None:
    with pytest.raises(SystemExit) as exit_:
        command.check_for_luigi([*module.split(), "BuildDatset"])
    assert exit_.value.code == EXIT_NOTHING_RAN
    said = capsys.readouterr().err
    assert said == "BuildDatset: there is no such task. Did you mean BuildDataset?\n"
    with pytest.raises(SystemExit) as exit_:
        command.check_for_luigi([*module.split(), "--pack-size"])
    assert exit_.value.code == EXIT_NOTHING_RAN
    command.check_for_luigi([*module.split(), "BuildDataset", "--pack-size", "64"])


def test_tasks_of_another_module_are_left_to_luigi(capsys: pytest.CaptureFixture[str]) -> None:
    command.check_for_luigi(["--module", "mine", "Sweep", "--floor", "3"])
    assert not capsys.readouterr().err


@pytest.mark.parametrize("program", [["luigi"], [sys.executable, "-m", "luigi"]])
def test_luigi_itself_says_it_without_a_traceback(program: list[str], tmp_path: Path) -> None:
    run = subprocess.run(
        [*program, "--module", "tasks", "BuildDatset"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(TOP),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == EXIT_NOTHING_RAN
    assert run.stderr == "BuildDatset: there is no such task. Did you mean BuildDataset?\n"


def test_switch_of_a_task_takes_no_value(
    ran: list[list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sweep(luigi.Task):
        """Sweep."""

        floor = luigi.IntParameter(description="the floor")
        dry_run = luigi.BoolParameter(description="only look")

    monkeypatch.setattr(catalog, "__all__", [*catalog.__all__, "Sweep"])
    monkeypatch.setattr(catalog, "Sweep", Sweep, raising=False)
    for words in (["Sweep", "--dry-run", "--floor", "0"], ["--floor=1", "Sweep"]):
        with pytest.raises(SystemExit):
            command.run(words)
    assert len(ran) == 2
    with pytest.raises(ConfigError, match="^Sweep needs --floor: the floor"):
        command.run(["Sweep", "--dry-run"])


def help_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as exit_:
        command.run(arguments)
    assert exit_.value.code == 0
    return capsys.readouterr().out


def test_help_shows_the_options_of_senga_first_with_units_and_defaults(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    said = help_of(capsys, "BuildDataset", "-h")
    assert "(a whole number of pixels from 16 to 4,096; default: 256)" in said
    assert "default: white_background solo upper_body)" in said  # of luigi.cfg
    assert "a whole number of 1 or more; default: 1000)" in said  # of luigi.cfg, not of the code
    assert said.index("--build-data") < said.index("--pack-size") < said.index("--workers")
    assert "--train-epochs" not in said
    assert "--lock-pid-dir" not in said
    assert "--train-epochs" in help_of(capsys, "TrainColorizer", "--help")
    assert "--network" in help_of(capsys, "TrainLines", "--help")


def test_help_shows_what_holds_now_also_with_a_percent_sign(tmp_path: Path) -> None:
    (tmp_path / "luigi.cfg").write_text("[filter]\nall_tags = 100%\n")
    done = senga(tmp_path, "FilterPosts", "--help", COLUMNS="300")
    assert done.returncode == 0
    assert "default: 100%)" in done.stdout


def test_help_all_shows_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    said = help_of(capsys, "BuildDataset", "--help-all")
    for section, options_type in SECTIONS.items():
        for key in fields(options_type):
            assert f"{flag(section, key.name)} " in said
    assert "--lock-pid-dir" in said


@pytest.mark.parametrize("name", WORDS)
def test_help_of_a_word_is_that_of_its_task(capsys: pytest.CaptureFixture[str], name: str) -> None:
    usage, *said = help_of(capsys, name, "--help").splitlines()
    folder = " [FOLDER]" if WORDS[name].takes_folder else ""
    assert usage == f"usage: senga {name}{folder} [options]"
    other, *expected = help_of(capsys, WORDS[name].task, "--help").splitlines()
    assert other == f"usage: senga {WORDS[name].task} [options]"
    explained = [line for line in said if f"senga {name} pictures" in line]
    assert len(explained) == WORDS[name].takes_folder
    assert [line for line in said if line not in explained] == expected


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_without_a_task_there_is_a_list_of_commands_and_tasks(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    said = help_of(capsys, *arguments)
    for name, purpose in {**WORDS, **PROGRAMS}.items():
        assert f"\n  {name:20}{purpose.purpose}\n" in said  # in one line
    assert said.index("\n  weights ") < said.index("\n  BuildDataset ")
    for name in catalog.__all__:
        assert f"\n  {name} " in said
    assert said.index("BuildDataset") < said.index("TrainLines") < said.index("DownloadShard")


def senga(folder: Path, *words: str, **variables: str) -> Any:
    """Run the command in a folder that is not the repository."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}
    return subprocess.run(
        [sys.executable, "-m", "senga", *words],
        cwd=folder,
        env={**env, "PYTHONPATH": str(TOP), **variables},
        capture_output=True,
        text=True,
    )


def test_it_runs_in_any_folder_with_the_defaults_and_the_recipes_of_senga(tmp_path: Path) -> None:
    few = ["FilterPosts", "--metadata-sample-posts", "40"]
    done = senga(tmp_path, *few, LUIGI_CONFIG_PATH="configs/quick.cfg")
    assert (done.returncode, done.stdout) == (0, "")
    assert [line.split()[0] for line in done.stderr.splitlines()] == ["metadata", "filter"]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["quick"]
    refused = senga(tmp_path, *few, "--filter-all-tags", "no_such_tag")
    assert refused.returncode == 30
    assert refused.stderr.splitlines()[-1].startswith("[filter]")


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("[core]\nworkers = 0\n", "[core] workers = 0: expected a whole number of 1 or more."),
        ("[worker]\nkeep_alive = x\n", "[worker] keep_alive = x: expected true or false."),
        ("[retcode]\ntask_failed = x\n", "[retcode] task_failed = x: expected a whole number."),
        ("[resources]\ngpu = x\n", "[resources] gpu = x: expected a whole number of 0 or more."),
        (
            "[core]\nlogging_conf_file = configs/logging.ini\n",
            "[core] logging_conf_file = configs/logging.ini: there is no such file.",
        ),
    ],
)
def test_setting_of_luigi_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, config: str, sentence: str
) -> None:
    (tmp_path / "luigi.cfg").write_text(config)
    done = senga(tmp_path, "FilterPosts")
    assert done.returncode == 40
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1


def test_empty_value_on_the_command_line_is_a_value(tmp_path: Path) -> None:
    done = senga(tmp_path, "FilterPosts", "--filter-none-tags=", "--pack-size", "")
    assert done.returncode == 40
    assert done.stderr.startswith("[pack] size = '': expected a whole number of pixels")
    done = senga(tmp_path, "FilterPosts", "--filter-none-tags=chibi", "--filter-all-tags=chibi")
    assert "both hold chibi" in done.stderr
    done = senga(tmp_path, "FilterPosts", "--filter-none-tags=", "--filter-all-tags=chibi")
    assert done.returncode == 0


def test_shard_without_posts_is_one_sentence(tmp_path: Path) -> None:
    done = senga(tmp_path, "DownloadShard", "--shard", "99", "--metadata-sample-posts", "40")
    assert done.returncode == 30
    last = done.stderr.splitlines()[-1]
    assert last.startswith("--shard 99: no post of it passes [filter]. Shards with posts: 1500")


def test_folder_as_a_csv_is_one_sentence(tmp_path: Path) -> None:
    done = senga(tmp_path, "BuildDataset", "--metadata-source=csv", f"--metadata-csv={tmp_path}")
    assert done.returncode == 40
    assert done.stderr.startswith(f"[metadata] csv = {tmp_path} cannot be read (Is a directory)")
    assert done.stderr.count("\n") == 1


def test_config_file_that_luigi_cannot_read_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "luigi.cfg").write_bytes(b"\xef\xbb\xbf[pack]\nsize = 64\n")
    done = senga(tmp_path, "BuildDataset")
    assert done.returncode == 40
    assert (
        done.stderr
        == "luigi.cfg is saved as UTF-8 with a byte order mark. Save it as plain UTF-8.\n"
    )
