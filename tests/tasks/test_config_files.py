"""Config files as people write them: every tag and path survives, every mistake is a sentence."""

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sketch_models.errors import ConfigError
from tasks import config_files
from tasks.config_files import Config

TOP = Path(__file__).parents[2]
# Characters of tags on boards: all that can be seen, but the comma, which separates tags.
TAGS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Z"], exclude_characters=","),
    min_size=1,
    max_size=12,
).filter(lambda tag: tag not in ("#", ";") and "${" not in tag)


@pytest.fixture(autouse=True)
def other_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change to a folder that is not the repository."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LUIGI_CONFIG_PATH", raising=False)


def read(text: str | bytes) -> Config:
    """Read a recipe; the defaults are below it."""
    Path("my.cfg").write_bytes(text.encode() if isinstance(text, str) else text)
    return config_files.read("my.cfg")


@given(st.lists(TAGS, min_size=1, max_size=6))
def test_every_tag_survives_on_one_line_and_on_lines_of_their_own(tags: list[str]) -> None:
    own_lines = "".join(f"\n  {tag}" for tag in tags)
    commented = "\n  # why\n".join(f"  {tag}  # {tag}" for tag in tags)
    for value in (" ".join(tags), own_lines, f"\n{commented}"):
        config = read(f"[filter]\nnone_tags = {value}\n\n[pack]\nsize = 64 ; pixels\n")
        assert config.get("filter", "none_tags").split() == tags
        assert config.get("pack", "size") == "64"


@pytest.mark.parametrize(
    "tags",
    [
        "solo\n  ;)\n  #compass",
        "solo # one girl\n  ;)\n  # looks\n  #compass ; a rose",
        ";) #compass",
    ],
)
def test_marker_without_a_space_begins_a_tag(tags: str) -> None:
    assert {";)", "#compass"} <= set(
        read(f"[filter]\nall_tags = {tags}").get("filter", "all_tags").split()
    )
    assert not {"one", "looks", "a", "#", ";"} & set(
        config_files.read("my.cfg").get("filter", "all_tags").split()
    )


@pytest.mark.parametrize("line", ["#fit = crop", ";fit=crop", "  #fit = crop", "  # fit = crop"])
def test_option_that_is_switched_off_is_a_comment(line: str) -> None:
    config = read(f"[pack]\nsize = 64\n{line}\n[split]\n{line}\ntest_size = 3\n")
    assert dict(config.items("pack")) == {"size": "64"}
    assert config.get("split", "test_size") == "3"


@pytest.mark.parametrize("path", ["100%", "%(size)s", "a [1] {2} #3", "$HOME", "a=b:c", "Größe"])
def test_path_is_itself(path: str) -> None:
    assert read(f"[build]\ndata = {path}\n").get("build", "data") == path


def test_environment_variable_is_replaced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PICTURES", "/a/${PICTURES}%")
    assert read("[build]\ndata = ${PICTURES}/b").get("build", "data") == "/a/${PICTURES}%/b"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            b"\xef\xbb\xbf[pack]\n",
            " is saved as UTF-8 with a byte order mark. Save it as plain UTF-8.",
        ),
        ("[pack]\n".encode("utf-16"), " is saved as UTF-16. Save it as plain UTF-8."),
        ("[pack]\n".encode("utf-16-be"), " is UTF-16, or no text: it has bytes that are 0."),
        (
            "[build]\ndata = Größe\n".encode("latin-1"),
            ", line 2: a character is not in UTF-8. Save the file as UTF-8.",
        ),
        ("[pack]\nsize = 1\nsize = 2\n", ", line 3: [pack] has size twice. Remove one of the two."),
        ("[hints]\nmin-side = 1\nmin_side = 2", ", line 3: [hints] has min_side twice."),
        (
            "[pack]\nsize = 1\n\n[pack]\nfit = crop\n",
            ", line 4: there is a section [pack] above. Move these options there.",
        ),
        ("size = 1\n", ", line 1: size = 1 is in no section. Write the name of its section above"),
        ("[pack]\nsize\n", ", line 2: this is no option. Write key = value, or indent the line"),
        ("[build]\ndata = ${NOT_SET}", ": [build] data = ${NOT_SET}: the environment has no"),
    ],
)
def test_mistake_is_a_sentence_that_names_the_line(text: str | bytes, sentence: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(text)
    assert str(raised.value).startswith(f"my.cfg{sentence}")


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: f"[pack]\n{text}".encode()))
def test_no_file_is_a_traceback(data: bytes) -> None:
    """Every file is read, or refused by a ConfigError."""
    with contextlib.suppress(ConfigError):
        read(data)


def test_recipe_of_senga_is_found_without_the_repository() -> None:
    assert config_files.read("configs/quick.cfg").get("build", "dataset") == "quick"
    Path("configs").mkdir()
    Path("configs/quick.cfg").write_text("[build]\ndataset = mine\n")
    assert config_files.read("configs/quick.cfg").get("build", "dataset") == "mine"
    with pytest.raises(ConfigError, match=r"recipes: configs/demo.cfg, configs/lines.cfg, "):
        config_files.read("configs/absent.cfg")
    with pytest.raises(
        ConfigError, match=r"^recipe = ~nobody-of-that-name/a.cfg: there is no such"
    ):
        config_files.read("~nobody-of-that-name/a.cfg")
    with pytest.raises(ConfigError, match=r"^recipe = configs: it is a folder"):
        config_files.read("configs")


def test_defaults_are_those_of_luigi_cfg_and_hold_in_every_folder() -> None:
    config = config_files.read()
    assert config.get("core", "local_scheduler") == "true"
    assert config.get("retcode", "task_failed") == "30"
    assert config.get("metadata", "source") == "sample"
    assert Path(config.get("core", "logging_conf_file")).is_file()
    Path("luigi.cfg").write_text("[retcode]\ntask_failed = 3\n")
    assert config_files.read().get("retcode", "task_failed") == "3"
    assert config_files.read().get("retcode", "not_run") == "25"


def luigi(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Luigi's own command in the current folder."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}
    return subprocess.run(
        [sys.executable, "-m", "luigi", "--module", "tasks", "BuildDataset", *words],
        env={**env, "PYTHONPATH": str(TOP), **variables},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "[build]\ndata = 50%\n[filter]\nall_tags =\n  ;)\nnone_tags = ;)\n",
            "[filter] all_tags and none_tags both hold ;): no post can match.",
        ),
        (
            "[build]\ndata = ${NOT_SET}\n",
            "my.cfg: [build] data = ${NOT_SET}: the environment has no",
        ),
        ("[DEFAULT]\nsize = 64\n", "my.cfg: [DEFAULT] is none of Senga's sections."),
        (
            "[Pack]\nsize = 64\n",
            "[Pack]: there is no such section in the configuration. Did you mean [pack]?",
        ),
        (
            "[pack]\ntest_size = 64\n",
            "[pack] test_size: there is no such option. It is an option of [split].",
        ),
    ],
)
def test_luigi_gets_the_values_of_the_files(text: str, sentence: str) -> None:
    """A refusal is the quickest proof that a value arrived; the exit code is Senga's own."""
    Path("my.cfg").write_text(text)
    done = luigi(LUIGI_CONFIG_PATH="my.cfg")
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1
    assert done.returncode == 40
