"""Tiny networks of lines trained through Luigi; a kill, and wrong options."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sketch_models import line_weights
from tests.end_to_end.luigi import ENV, TOP, run_luigi

OPTIONS = {
    "build-dataset": "lines",
    "lines-images": 16,
    "lines-batch-size": 4,
    "lines-size": 64,
    "lines-tracer-widths": "4,8",
    "lines-inker-widths": "4,8",
    "lines-validation-pages": 1,
    "lines-evaluate-every": 8,
    "lines-log-every": 4,
    "lines-sample-every": 8,
    "lines-checkpoint-every": 4,
    "lines-num-workers": 0,
    "compute-device": "cpu",
    "compute-precision": "fp32",
}


def arguments(data: Path, **changed: object) -> list[str]:
    options = {**OPTIONS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    texts = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    return ["--build-data", str(data), *texts]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder in which both networks have been trained."""
    data = tmp_path_factory.mktemp("data")
    said = run_luigi(*arguments(data), task="TrainLines")
    for network in ("tracer", "inker"):
        assert f"\n  {data}/lines/{network}.safetensors\n" in said
    return data


@pytest.mark.parametrize("network", ["tracer", "inker"])
def test_training_writes_weights_logs_metrics_and_samples(data: Path, network: str) -> None:
    folder = (data / "lines" / f"{network}.safetensors").resolve().parent
    assert (data / "lines" / f"{network}.json").resolve().parent == folder
    _, metadata = line_weights.read(folder / f"{network}.safetensors", network)
    assert metadata["images"] == "16"
    for log in ("train_log.jsonl", "metrics.jsonl"):
        lines = [json.loads(line) for line in (folder / log).read_text().splitlines()]
        assert lines[-1]["images"] == 16
    assert len(list((folder / "samples").glob("*.png"))) == 2
    assert len(list((folder / "checkpoints").glob("*.pt"))) == 2
    assert list((folder / "tensorboard").iterdir())
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["kept"] == 16
    assert manifest["facts"]["best"] == json.loads((folder / "metrics.json").read_text())


def test_second_run_does_nothing(data: Path) -> None:
    said = run_luigi(*arguments(data, lines_log_every=2), task="TrainLines")
    assert said.count("Nothing to do: it is trained with exactly these settings.") == 2


def test_one_network_leaves_the_other_as_it_is(data: Path) -> None:
    before = (data / "lines" / "inker.safetensors").resolve()
    changed = arguments(data, network="tracer", lines_tracer_widths="4,4", lines_images=4)
    run_luigi(*changed, task="TrainLines")
    assert (data / "lines" / "inker.safetensors").resolve() == before
    assert len(list((data / "lines" / "tracer").iterdir())) == 3  # two trainings, and a link
    run_luigi(*arguments(data, network="tracer"), task="TrainLines")  # takes the links back
    job = json.loads((data / "lines" / "tracer.json").read_text())
    assert job["options"]["tracer_widths"] == [4, 8]


def test_killed_training_resumes_and_ends_with_the_same_weights(data: Path) -> None:
    """The process that trains dies with Luigi; the next run resumes from its latest checkpoint."""
    whole = (data / "lines" / "inker.safetensors").resolve().parent
    expected = (whole / "inker.safetensors").read_bytes()
    whole.rename(whole.with_name("moved"))
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "TrainLines"]
    command += arguments(data, network="inker")
    process = subprocess.Popen(command, cwd=TOP, env=ENV, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not list(whole.glob("checkpoints/*.pt")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (whole / "inker.safetensors").exists()
    run_luigi(*arguments(data, network="inker"), task="TrainLines")
    assert (whole / "inker.safetensors").read_bytes() == expected


@pytest.mark.parametrize("workers", [1, 2])
def test_interrupted_training_says_that_it_saved_and_that_it_resumes(
    data: Path, workers: int
) -> None:
    """It stops at Ctrl-C and at SIGTERM, which Luigi alone gets here, without a traceback."""
    options = {"lines_images": 100_000 + workers, "lines_checkpoint_every": 100_000}
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "TrainLines"]
    command += [*arguments(data, network="inker", **options), "--workers", str(workers)]
    logs = set(data.glob("lines/inker/*/train_log.jsonl"))
    for number in (signal.SIGINT, signal.SIGTERM):
        with subprocess.Popen(
            command, cwd=TOP, env=ENV, stderr=subprocess.PIPE, text=True
        ) as process:
            assert process.stderr is not None
            said = ""
            if number == signal.SIGTERM:
                said = process.stderr.readline()
                assert said.startswith("inker     resumes from image "), said
            else:
                while set(data.glob("lines/inker/*/train_log.jsonl")) == logs:
                    assert process.poll() is None
                    time.sleep(0.05)
            process.send_signal(number)
            said += process.stderr.read()
        assert process.returncode in (-signal.SIGINT, 130)
        assert "Traceback" not in said
        stopped = [line for line in said.splitlines() if line.startswith("Stopped after ")]
        assert len(stopped) == 1, said
        assert stopped[0].endswith("a checkpoint is saved. Run again: it resumes from there.")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"network": "painter"}, "--network painter: expected one of tracer, inker."),
        ({"lines_validation": "/none"}, "[lines] validation = /none: there is no such folder"),
        (
            {"lines_tracer_initial_weights": "/none"},
            "[lines] tracer_initial_weights = /none: there is no such file",
        ),
        (
            {"lines_inker_tracer_weights": "/none"},
            "[lines] inker_tracer_weights = /none: there is no such file",
        ),
    ],
)
def test_unusable_option_is_one_message(
    data: Path, changed: dict[str, object], sentence: str
) -> None:
    command = [sys.executable, "-m", "luigi", "--module", "tasks", "TrainLines"]
    command += arguments(data, **changed)
    done = subprocess.run(command, cwd=TOP, env=ENV, capture_output=True, text=True)
    assert done.returncode == 40  # before anything ran
    assert "Traceback" not in done.stderr
    assert sentence in done.stderr


def test_packages_that_are_missing_are_one_sentence(data: Path, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "find_spec = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'resvg' else find_spec(name, *rest)\n"
    )
    said = run_luigi(
        *arguments(data, lines_images=4), task="TrainLines", code=40, PYTHONPATH=f"{tmp_path}:{TOP}"
    )
    assert said.count("pip install -e .[art]") == 1
