"""The command line becomes options; what cannot be used is named."""

from pathlib import Path

import pytest

from benchmarks.harness.line_networks import write_random
from pipeline.draw.folder_options import parse
from pipeline.draw.simplify import SimplifyOptions
from pipeline.draw.sketch import SketchOptions
from sketch_models.errors import ConfigError, WeightsError
from sketch_models.network_options import InkerOptions, TracerOptions


def test_defaults_are_those_of_the_build() -> None:
    options = parse(["in", "out"])
    assert (options.folder, options.results) == ("in", "out")
    assert options.sketch == SketchOptions().models[0]
    assert options.line == SimplifyOptions().model
    assert options.styles == ("original",)
    assert not options.from_sketch


@pytest.mark.parametrize("folders", [["s3://in", "out"], ["in", "s3://out"]])
def test_folders_are_on_this_machine(folders: list[str]) -> None:
    with pytest.raises(ConfigError, match="= s3://.*: expected a path on this machine"):
        parse(folders)


def test_all_styles() -> None:
    assert parse(["in", "out", "--style", "all"]).styles == ("original", "enhanced", "pured")


def test_weights_of_networks_are_options_of_the_models(tmp_path: Path) -> None:
    for network in ("tracer", "inker"):
        write_random(tmp_path / network, network)
    tracer, inker = str(tmp_path / "tracer"), str(tmp_path / "inker")
    arguments = ["in", "out", "--sketch=tracer", "--line=inker"]
    options = parse([*arguments, "--sketch-weights", tracer, "--line-weights", inker])
    assert options.sketch_options == TracerOptions(weights=tracer)
    assert options.line_options == InkerOptions(weights=inker)
    first = options.settings()
    write_random(tmp_path / "tracer", "tracer", seed=1)
    assert options.settings() != first
    with pytest.raises(WeightsError, match="there is no such file"):
        parse([*arguments, "--line-weights", "nowhere"]).settings()


def test_settings_of_sketches_have_no_sketch_model() -> None:
    settings = parse(["in", "out", "--from-sketch"]).settings()
    assert settings.keys() == {"version", "size", "from_sketch", "line", "line_model"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sketch", "pencil"], "--sketch = pencil: expected one of tracer, xdog, sketchkeras."),
        (["--line", "xdog"], "--line = xdog: expected one of inker, centerline, simo_serra."),
        (["--style", "thin"], "--style = thin: expected one of original, enhanced, pured, all."),
        (["--size", "-1"], "--size = -1: expected a whole number of pixels from 0 to 8,192."),
        (["--device", "gpu"], "--device = gpu: expected auto, cpu, cuda"),
        (["--style", "all", "--from-sketch"], "--style = all: expected none, since --from-sketch"),
        (["--sketch=xdog", "--sketch-weights=a"], "--sketch-weights = a: expected none, since"),
        (["--line=centerline", "--line-weights=a"], "--line-weights = a: expected none, since"),
    ],
)
def test_bad_values_are_named(arguments: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse(["in", "out", *arguments])


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["--help"])
    assert caught.value.code == 0
    text = capsys.readouterr().out
    for word in ("FOLDER", "RESULTS", "--from-sketch", "--overwrite", "errors.csv", "exit status"):
        assert word in text
