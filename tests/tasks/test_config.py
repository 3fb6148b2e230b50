"""Options in config files and on the command line: what is refused, and with which message."""

import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from pipeline.posts.options import MetadataOptions
from sketch_models.errors import ConfigError
from sketch_models.option import renamed_keys
from tasks import config as config_module

ENV = {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}
TOP = Path(__file__).parents[2]
LUIGI = [sys.executable, "-m", "luigi", "--module", "tasks", "BuildDataset"]


def refusal(tmp_path: Path, config: str, *arguments: str) -> str:
    """Return the message with which `luigi` refuses a config."""
    recipe = tmp_path / "recipe.cfg"
    recipe.write_text(f"[build]\ndata = {tmp_path}/data\n{config}")
    done = subprocess.run(
        [*LUIGI, *arguments],
        cwd=TOP,
        env=ENV | {"LUIGI_CONFIG_PATH": str(recipe)},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "data").exists()
    return done.stderr


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        (
            "[pack]\nsiez = 3\n",
            r"\[pack\] siez: there is no such option. Did you mean size\? Options of this",
        ),
        ("[pakc]\nsize = 3\n", r"\[pakc\]: there is no such section"),
        ("[pack]\nsize = big\n", r"\[pack\] size = big: expected a whole number"),
        ("[pack]\nsize = -3\n", r"\[pack\] size = -3: expected"),
        ("[pack]\nsketches = maybe\n", r"\[pack\] sketches = maybe: expected true or false"),
        ("[build]\ndataset = ../x\n", r"\[build\] dataset = \.\./x: expected a name"),
        ("[filter]\nall_tags = solo\nnone_tags = solo\n", r"\[filter\].*solo"),
        ("[sketch]\nmodels = pencil\n", r"\[sketch\] models = pencil: expected"),
        ("[split]\ntest_size = -1\n", r"\[split\] test_size = -1"),
    ],
)
def test_wrong_option_is_one_sentence(tmp_path: Path, config: str, sentence: str) -> None:
    if config.startswith("[build]"):
        config = config.removeprefix("[build]\n")
    message = refusal(tmp_path, config)
    assert re.search(sentence, message), message
    assert len(message.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ("[train]\ngenerator_rate = 1e-3\n", "[train] generator_rate is called generator_lr now"),
        ("[train]\nema =\n", "[train] ema is called ema_decay now"),
        ("[train]\nwarm-up = 0\n", "[train] warm_up is called warmup now"),
        ("[gpu]\ndevice = cpu\n", "[gpu] is called [compute] now"),
        (
            "[losses]\nmissing_weights = continue\n",
            "[losses] missing_weights = continue: it is called skip now",
        ),
    ],
)
def test_old_name_is_one_sentence_with_the_new_name(
    tmp_path: Path, config: str, sentence: str
) -> None:
    assert refusal(tmp_path, config).strip() == f"{sentence}: rename it."


@pytest.mark.parametrize(
    ("flag", "value", "sentence"),
    [
        ("--train-ema", "0.9", "[train] ema is called ema_decay now: rename it."),
        ("--gpu-precision", "fp32", "[gpu] is called [compute] now: rename it."),
    ],
)
def test_old_name_on_the_command_line_is_one_sentence(
    tmp_path: Path, flag: str, value: str, sentence: str
) -> None:
    assert refusal(tmp_path, "", flag, value).strip() == sentence


@pytest.mark.parametrize(
    "address", ["s3://bucket/data", "gs://x", "https://example.org/x", "s3:/x"]
)
def test_address_of_a_bucket_is_no_folder(tmp_path: Path, address: str) -> None:
    message = f"[build] data = {address}: expected a path on this machine."
    assert refusal(tmp_path, "", "--build-data", address).strip() == message
    assert not (TOP / address.split("/")[0]).exists()
    with pytest.raises(ConfigError, match=r"\[metadata\] csv = .*a path on this machine"):
        MetadataOptions(source="csv", csv=address)


def test_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config_module.BuildOptions(data="~/art").folder == tmp_path / "art" / "sample"
    assert config_module.BuildOptions(data="a~/b").folder == Path("a~/b/sample")
    assert config_module.BuildOptions(data="c:/d").folder == Path("c:/d/sample")


def test_every_old_name_has_a_new_name_that_exists() -> None:
    for options_type in config_module.SECTIONS.values():
        names = {key.name for key in fields(options_type)}
        for old, new in renamed_keys(options_type).items():
            assert new in names
            assert old not in names


def test_wrong_option_on_the_command_line_is_refused(tmp_path: Path) -> None:
    assert "[pack] size = 3: expected" in refusal(tmp_path, "", "--pack-size", "3")


def test_missing_recipe_is_one_sentence(tmp_path: Path) -> None:
    env = ENV | {"LUIGI_CONFIG_PATH": str(tmp_path / "absent.cfg"), "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(LUIGI, cwd=TOP, env=env, capture_output=True, text=True)
    assert done.returncode != 0
    assert done.stderr.strip().endswith("absent.cfg: there is no such file.")


def test_recipe_of_the_paper_lists_everything_that_is_missing(tmp_path: Path) -> None:
    """One message lists the Kaggle CSV and both files of weights."""
    text = (TOP / "configs" / "upper_body.cfg").read_text().replace("[build]\n", "", 1)
    text = text.replace("csv = data/safebooru/all_data.csv", f"csv = {tmp_path}/all_data.csv")
    text += f"[sketchkeras]\nweights = {tmp_path}/mod.h5\n"
    text += f"[simo_serra]\nweights = {tmp_path}/sketch_gan.t7\n"
    message = refusal(tmp_path, text)
    assert f"{tmp_path}/all_data.csv" in message
    assert "alamson/safebooru" in message
    assert f"[sketchkeras] weights = {tmp_path}/mod.h5" in message
    assert f"[simo_serra] weights = {tmp_path}/sketch_gan.t7" in message
