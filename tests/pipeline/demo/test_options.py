"""The command line: every option has its argument, and wrong values are refused by name."""

from dataclasses import fields

import pytest

from pipeline.demo.options import DemoOptions, parse
from sketch_models.errors import ConfigError


def test_default_host_is_the_loopback() -> None:
    options = parse([])
    assert options == DemoOptions()
    assert (options.host, options.port, options.browser) == ("127.0.0.1", 7860, True)


def test_every_option_has_its_argument() -> None:
    chosen: dict[str, object] = {
        "colorizer": "a/b.safetensors",
        "host": "::1",
        "port": 0,
        "device": "cuda:1",
        "sketchkeras": "mod.h5",
        "simo_serra": "mse",
        "max_pixels": 1000,
        "max_body": 2000,
        "min_side": 8,
        "queue": 9,
        "threads": 3,
    }
    arguments = [f"--{name.replace('_', '-')}={value}" for name, value in chosen.items()]
    options = parse([*arguments, "--no-browser"])
    assert {field.name for field in fields(options)} == {*chosen, "browser"}
    assert {name: getattr(options, name) for name in chosen} == chosen
    assert not options.browser


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("host", " "),
        ("port", -1),
        ("port", 65536),
        ("device", "gpu"),
        ("device", "cuda:x"),
        ("max_pixels", 255),
        ("max_body", 1023),
        ("min_side", 0),
        ("queue", 7),
        ("threads", -1),
    ],
)
def test_wrong_value_is_refused_by_name(name: str, value: object) -> None:
    argument = f"--{name.replace('_', '-')}"
    with pytest.raises(ConfigError, match=rf"^{argument} = .*: expected "):
        parse([f"{argument}={value}"])


@pytest.mark.parametrize("arguments", [["--port", "many"], ["--colour", "red"], ["a.safetensors"]])
def test_unknown_arguments_exit_with_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(arguments)
    assert ended.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_there_are_more_threads_than_queued_pictures() -> None:
    assert DemoOptions(queue=64).serving_threads > 64 + 8
    assert DemoOptions(threads=3).serving_threads == 3


def test_help_describes_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--help"])
    printed = " ".join(capsys.readouterr().out.split())
    for field in fields(DemoOptions):
        assert field.metadata["help"] in printed
