"""A tiny colorizer trained and evaluated through Luigi; interruptions and wrong options."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipeline.colorizer.colorizer import Colorizer
from pipeline.tables.metrics import read_metrics

TOP = Path(__file__).parents[2]
OPTIONS = {
    "metadata-sample-posts": 40,
    "split-test-size": 3,
    "sketch-size": 128,
    "pack-size": 64,
    "colorizer-width": 4,
    "colorizer-map-width": 8,
    "colorizer-hidden": 8,
    "colorizer-latent-dim": 8,
    "colorizer-encoder-width": 8,
    "colorizer-discriminator-width": 8,
    "train-epochs": 4,
    "train-batch-size": 2,
    "train-num-workers": 0,
    "train-log-every": 4,
    "train-sample-every": 8,
    "train-checkpoint-every": 4,
    "evaluate-hint-counts": "0,5",
    "evaluate-hint-auc-pictures": 1,
    "compute-device": "cpu",
    "compute-precision": "fp32",
}


def command(data: Path, task: str, **changed: object) -> list[str]:
    options = {**OPTIONS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    texts = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    luigi = [sys.executable, "-m", "luigi", "--module", "tasks", task]
    return [*luigi, "--build-data", str(data), *texts]


def environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("LUIGI_")}


def luigi(data: Path, task: str, code: int = 0, **changed: object) -> str:
    """Run a task and return its standard error."""
    done = subprocess.run(
        command(data, task, **changed),
        cwd=TOP,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data folder in which netL-SPADE and SPADE have been trained and evaluated."""
    data = tmp_path_factory.mktemp("data")
    errors = luigi(data, "EvaluateColorizer")
    assert "without the perceptual loss. [losses] perceptual_weights = resnet50: the " in errors
    return data


def colorizers(data: Path) -> dict[str, Path]:
    """Return the folders of the trained colorizers by their generator."""
    found = [path.parent for path in (data / "sample").glob("colorizer/*/colorizer.json")]
    folders = [folder for folder in found if not folder.is_symlink()]
    jobs = {folder: json.loads((folder / "colorizer.json").read_text()) for folder in folders}
    return {job["network"]["generator"]: folder for folder, job in jobs.items()}


def test_run_writes_weights_logs_samples_and_a_page(data: Path) -> None:
    assert colorizers(data).keys() == {"netl_spade", "spade"}
    for folder in colorizers(data).values():
        lines = [json.loads(line) for line in (folder / "train_log.jsonl").read_text().splitlines()]
        assert lines[-1]["images"] == lines[-1]["of"]
        assert {"loss/hinge_g", "loss/hinge_d", "loss/feature_matching", "loss/kld"} < lines[
            -1
        ].keys()
        assert len(list((folder / "samples").glob("*.png"))) >= 2
        assert len(list((folder / "checkpoints").glob("*.pt"))) == 2
        assert list((folder / "tensorboard").iterdir())
    scores = json.loads(
        (data / "sample" / "evaluation.html").resolve().with_name("metrics.json").read_text()
    )
    methods = {(score["method"], score["z"]) for score in scores}
    assert methods >= {("netL-SPADE", "prior"), ("SPADE", "posterior"), ("white fill", "")}
    areas = json.loads(
        (data / "sample" / "evaluation.html").resolve().with_name("hint_auc.json").read_text()
    )
    assert {area["method"] for area in areas} >= {"netL-SPADE", "SPADE", "geodesic fill"}
    assert all(area["n"] == 1 and len(area["sources"]) == 3 for area in areas)
    differences = json.loads(
        (data / "sample" / "evaluation" / "latest" / "differences.json").read_text()
    )
    assert {("netL-SPADE", "geodesic fill"), ("SPADE", "netL-SPADE")} <= {
        (difference["method"], difference["other"]) for difference in differences
    }
    page = (data / "sample" / "evaluation.html").read_text()
    assert "<h2>Hint-AUC</h2>" in page
    assert page.count("data:image/png;base64,") == 8
    for name in ("samples", "comparison", "sweep", "thickness", "losses"):
        with Image.open(
            (data / "sample" / "evaluation.html").resolve().with_name(f"{name}.png")
        ) as figure:
            assert min(figure.size) > 60


def test_second_run_does_nothing(data: Path) -> None:
    assert "Nothing to do" in luigi(data, "EvaluateColorizer")
    assert "Nothing to do" in luigi(data, "TrainColorizer")
    assert "Nothing to do" in luigi(data, "TrainColorizer", train_keep_checkpoints=1)


def test_links_are_those_of_the_configured_generator(data: Path) -> None:
    """Training SPADE for a comparison does not take the links, and switching trains nothing."""
    folders = colorizers(data)
    names = [data / "sample" / name for name in ("colorizer.safetensors", "colorizer.json")]
    before = {folder: (folder / "manifest.json").stat().st_mtime_ns for folder in folders.values()}
    assert {name.resolve().parent for name in names} == {folders["netl_spade"]}
    for generator in ("spade", "netl_spade"):
        output = luigi(data, "TrainColorizer", colorizer_generator=generator)
        assert "Nothing to do" in output
        assert f"  {names[0]}\n" in output
        assert {name.resolve().parent for name in names} == {folders[generator]}
    assert {folder: (folder / "manifest.json").stat().st_mtime_ns for folder in before} == before
    assert "Nothing to do" in luigi(data, "EvaluateColorizer")


def test_interrupted_training_in_two_processes_saves_a_checkpoint(data: Path) -> None:
    changed = {"train_epochs": 1001, "train_processes": 2, "train_checkpoint_every": 100_000}
    before = set(data.glob("sample/colorizer/*"))
    with subprocess.Popen(
        command(data, "TrainColorizer", **changed),
        cwd=TOP,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        while not list(data.glob("sample/colorizer/*/train_log.jsonl"))[len(before) :]:
            assert process.poll() is None
            time.sleep(0.05)
        process.terminate()
        said = process.stderr.read()
    assert said.count("Stopped after ") == 1, said
    assert "Traceback" not in said
    (folder,) = set(data.glob("sample/colorizer/*")) - before
    assert len(list(folder.glob("checkpoints/*.pt"))) == 1
    shutil.rmtree(folder)


def test_a_colorizer_is_trained_and_judged_on_drawn_pictures(tmp_path: Path) -> None:
    changed = {
        "build_dataset": "drawn",
        "artbook_pictures": 4,
        "artbook_test_pictures": 2,
        "colorizer_spread_hints": "true",
        "hints_shape": "stroke",
        "train_epochs": 1,
        "evaluate_generators": "netl_spade",
        "evaluate_hint_counts": "5",
    }
    output = luigi(tmp_path, "EvaluateColorizer", **changed)
    assert "artbook   10 pictures in" in output
    assert "download" not in output
    assert "train     4 images in" in output
    folder = (tmp_path / "drawn" / "evaluation.html").resolve().parent
    for name in ("metrics", "metrics_adventurer", "metrics_micah"):
        scores = json.loads((folder / f"{name}.json").read_text())
        assert {score["n"] for score in scores if score["metric"] == "psnr"} == {2}
    page = (folder / "index.html").read_text()
    assert page.count("<h2>Scores on other pictures") == 2
    assert Colorizer.load(tmp_path / "drawn").train_job.network.spread_hints
    assert "Nothing to do" in luigi(tmp_path, "EvaluateColorizer", **changed)


def test_missing_links_are_made_again(data: Path) -> None:
    links = [data / "sample" / name for name in ("colorizer.json", "colorizer/latest")]
    for link in links:
        link.unlink()
    assert "Nothing to do" in luigi(data, "EvaluateColorizer")
    assert links[0].resolve().parent == links[1].resolve() == colorizers(data)["netl_spade"]


def test_metrics_are_read_as_a_table(data: Path) -> None:
    metrics = read_metrics(data / "sample")
    assert set(metrics["method"]) >= {"netL-SPADE", "SPADE", "white fill"}
    assert set(metrics["hints"]) == {0, 5}
    row = metrics[metrics["metric"] == "ssim"].iloc[0]
    assert row["low"] <= row["mean"] <= row["high"]
    assert row["n"] == 3


@pytest.mark.parametrize("name", ["", "colorizer.safetensors"])
def test_weights_colorize_a_line_drawing(data: Path, name: str) -> None:
    colorizer = Colorizer.load(data / "sample" / name)
    result = colorizer.colorize(np.full((70, 45), 255, np.uint8))
    assert result.shape == (70, 45, 3)


def test_folder_is_colorized(data: Path, tmp_path: Path) -> None:
    (tmp_path / "lines").mkdir()
    Image.new("L", (50, 80), "white").save(tmp_path / "lines" / "one.png")
    (tmp_path / "lines" / "broken.png").write_bytes(b"no picture")
    program = [sys.executable, "-m", "pipeline.colorizer.paint"]
    done = subprocess.run(
        [*program, str(colorizers(data)["spade"]), str(tmp_path / "lines"), str(tmp_path / "out")],
        cwd=TOP,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "broken.png" in done.stderr
    with Image.open(tmp_path / "out" / "one.png") as result:
        assert result.size == (50, 80)


def test_killed_training_resumes_and_ends_with_the_same_weights(data: Path) -> None:
    """The process that trains dies with Luigi; the next run resumes from its latest checkpoint."""
    whole = colorizers(data)["netl_spade"]
    with (whole / "colorizer.safetensors").open("rb") as file:
        expected = file.read()
    moved = whole.rename(whole.with_name("moved"))
    process = subprocess.Popen(
        command(data, "TrainColorizer"), cwd=TOP, env=environment(), stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not list(whole.glob("checkpoints/*.pt")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (whole / "colorizer.safetensors").exists()
    luigi(data, "TrainColorizer")
    assert (whole / "colorizer.safetensors").read_bytes() == expected
    lines = [json.loads(line) for line in (whole / "train_log.jsonl").read_text().splitlines()]
    expected_lines = [
        json.loads(line) for line in (moved / "train_log.jsonl").read_text().splitlines()
    ]
    assert [line["step"] for line in lines] == [line["step"] for line in expected_lines]


def test_changed_dataset_is_trained_on_from_scratch(data: Path) -> None:
    folder = colorizers(data)["spade"]
    job = json.loads((folder / "colorizer.json").read_text())
    job["content"] = "of other pictures"
    (folder / "colorizer.json").write_text(json.dumps(job))
    (folder / "manifest.json").unlink()
    before = (folder / "colorizer.safetensors").read_bytes()
    luigi(data, "TrainColorizer", colorizer_generator="spade")
    assert (folder / "colorizer.safetensors").read_bytes() == before
    aside = folder.with_name(f"{folder.name}-of other pic")
    assert (aside / "colorizer.safetensors").exists()
    shutil.rmtree(aside)


@pytest.mark.parametrize(
    ("task", "changed", "sentence"),
    [
        ("Train", {"compute_device": "cuda:7", "train_epochs": 3}, "device = cuda:7"),
        ("Train", {"train_lines": "sideways"}, "has no line art sideways. Choose one of"),
        ("Train", {"pack_size": 72}, "[pack] size = 72: expected a multiple of 32"),
        (
            "Train",
            {"losses_missing_weights": "error"},
            "sketch_models.weights fetch resnet50",
        ),
        ("Train", {"losses_perceptual_weights": "/none"}, "[losses] perceptual_weights = /none"),
        ("Train", {"train_initial_weights": "/none"}, "[train] initial_weights = /none: there is"),
        ("Train", {"train_initial_weights": "README.md"}, "cannot be read as a colorizer"),
        ("Train", {"train_generator_lr": 1e30}, "is not a finite number"),
        (
            "Evaluate",
            {"evaluate_inception_weights": "/none"},
            "[evaluate] inception_weights = /none: there is no such file",
        ),
    ],
)
def test_unusable_option_is_one_message(
    data: Path, task: str, changed: dict[str, object], sentence: str
) -> None:
    done = subprocess.run(
        command(data, f"{task}Colorizer", **changed),
        cwd=TOP,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode in (30, 40)  # while it ran, or before anything did
    assert "Traceback" not in done.stderr
    assert done.stderr.count(sentence) == 1


def test_checkpoint_of_other_settings_is_refused(data: Path, tmp_path: Path) -> None:
    folder = colorizers(data)["spade"]
    job = json.loads((folder / "colorizer.json").read_text())
    job["options"]["generator_lr"] = 0.5
    other = tmp_path / "job.json"
    other.write_text(json.dumps(job))
    program = [sys.executable, "-m", "pipeline.colorizer.training.train", str(other), str(folder)]
    done = subprocess.run(program, cwd=TOP, capture_output=True, text=True)
    assert done.returncode == 3
    assert "is a checkpoint of other settings or another dataset" in done.stderr
    assert "Traceback" not in done.stderr
