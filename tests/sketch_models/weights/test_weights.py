"""What weights are, where they are, and that they are converted once."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file

from benchmarks.harness.web import Web
from sketch_models.errors import SengaError
from sketch_models.weights import weights
from sketch_models.weights.table import FILES, WeightFile
from sketch_models.weights.weights import converted, fetch, identity, is_ready, located

Publish = Callable[..., WeightFile]

TOP = Path(__file__).parents[3]
CONTENT = bytes(range(256)) * 400
OPTION = "[simo_serra] weights"


class Reader:
    """Reads a file as the network would; counts."""

    def __init__(self) -> None:
        self.read: list[Path] = []

    def __call__(self, path: Path) -> Mapping[str, NDArray[np.float32]]:
        self.read.append(path)
        content = np.frombuffer(path.read_bytes()[:96], np.uint8).astype(np.float32)
        return {"0.weight": content.reshape(2, 3, 4, 4).transpose(3, 2, 0, 1), "0.bias": content}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.t7"
    path.write_bytes(CONTENT)
    return path


def test_a_name_is_its_published_digest(kept: Path) -> None:
    assert identity("gan") == FILES["gan"].digest
    assert identity("resnet18") == "sha256:3f77756f"
    assert identity("sketchkeras") == f"url:{FILES['sketchkeras'].url}"
    assert not kept.exists()


@pytest.mark.parametrize("name", ["gan", "resnet18"])
def test_a_copy_is_what_its_name_is(publish: Publish, file: Path, name: str) -> None:
    other = identity(str(file))
    assert other == f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    publish(name, CONTENT)
    assert identity(str(file)) == identity(name) != other


def test_a_copy_of_what_was_first_seen_is_what_its_name_is(publish: Publish, file: Path) -> None:
    publish("sketchkeras", CONTENT)
    assert identity(str(file)) != identity("sketchkeras")
    fetch("sketchkeras", progress=False)
    assert identity(str(file)) == identity("sketchkeras")
    file.write_bytes(CONTENT + b"!")
    assert identity(str(file)) != identity("sketchkeras")


def test_other_bytes_are_other_weights(file: Path) -> None:
    before = identity(str(file))
    file.write_bytes(CONTENT + b"!")
    assert identity(str(file)) != before
    copy = file.with_name("copy")
    copy.write_bytes(CONTENT)
    assert identity(str(copy)) == before


def test_paths_are_written_as_people_write_them(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    monkeypatch.chdir(file.parent)
    assert identity("~/mine.t7") == identity("mine.t7") == identity(str(file))
    assert located("~/mine.t7", OPTION) == file
    assert is_ready("~/mine.t7")


@pytest.mark.parametrize("weights", ["", ".", "/", "nowhere.t7", "~nobody/x", "a\0b", "x" * 5000])
def test_a_path_that_is_not_there_is_one_sentence(weights: str) -> None:
    for ask in (identity, located):
        with pytest.raises(SengaError) as raised:
            ask(weights, option=OPTION, network="simo_serra")  # type: ignore[operator]
        assert str(raised.value) == (
            f"{OPTION} = {weights}: there is no such file; expected gan, mse, pencil1, pencil2, "
            "or the path of a file."
        )
    assert not is_ready(weights)


def test_weights_of_another_network_are_one_sentence() -> None:
    assert identity("gan", network="simo_serra") == identity("gan")
    says = "these are weights of danbooru_resnet; expected sketchkeras, or the path of a file"
    with pytest.raises(SengaError, match=says):
        identity("resnet18", option="[sketchkeras] weights", network="sketchkeras")


def test_an_identity_needs_no_heavy_library(file: Path) -> None:
    code = (
        "import sys\n"
        "from sketch_models.weights import weights\n"
        "assert not {'numpy', 'pooch', 'requests', 'safetensors'} & set(sys.modules)\n"
        "weights.identity('gan'), weights.identity(sys.argv[1])\n"
        "assert not {'numpy', 'requests', 'safetensors', 'torch', 'rich'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], check=True, cwd=TOP)


def test_the_folder_is_the_users_cache_unless_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SENGA_WEIGHTS", "")
    assert weights.folder().name == "senga"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SENGA_WEIGHTS", "~/w")
    assert weights.folder() == tmp_path / "w"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SENGA_WEIGHTS", "w")
    assert weights.folder() == tmp_path / "w"


def test_ready_means_here(web: Web, publish: Publish) -> None:
    publish("gan", CONTENT)
    assert not is_ready("gan")
    assert web.asked == []
    assert located("gan", OPTION) == fetch("gan")
    assert is_ready("gan")


def test_converts_once(publish: Publish, file: Path, kept: Path) -> None:
    publish("gan", CONTENT)
    read = Reader()
    path = converted("gan", "simo_serra", read, option=OPTION)
    assert path.parent == kept / "converted"
    assert converted("gan", "simo_serra", read, option=OPTION) == path
    assert converted(str(file), "simo_serra", read, option=OPTION) == path
    assert read.read == [kept / "sketch_gan.t7"]
    expected = Reader()(file)
    found = load_file(path)
    assert {name: value.shape for name, value in found.items()} == {
        "0.weight": (4, 4, 2, 3),
        "0.bias": (96,),
    }
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value, strict=True)


def test_a_converted_file_says_what_it_was_made_from(publish: Publish, file: Path) -> None:
    path = converted(str(file), "simo_serra", Reader(), option=OPTION, variant="gan")
    with safe_open(path, framework="numpy") as opened:
        assert opened.metadata() == {
            "source": "mine.t7",
            "sha256": hashlib.sha256(CONTENT).hexdigest(),
            "licence": "unknown",
            "network": "simo_serra",
            "variant": "gan",
            "layout": "1",
        }
    publish("gan", CONTENT[::-1])
    path = converted("gan", "simo_serra", Reader(), option=OPTION)
    with safe_open(path, framework="numpy") as opened:
        assert opened.metadata()["licence"] == "non-commercial research only"


def test_what_tensors_depend_on_makes_another_file(
    kept: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def path(network: str = "simo_serra", variant: str = "") -> Path:
        return converted(str(file), network, Reader(), option=OPTION, variant=variant)

    paths = [path(), path(network="sketchkeras"), path(variant="mse"), path(variant="../../mse")]
    file.write_bytes(CONTENT[::-1])
    paths.append(path())
    monkeypatch.setattr(weights, "_LAYOUT", "2")
    paths.append(path())
    assert len(set(paths)) == 6
    assert {path.parent for path in paths} == {kept / "converted"}


@pytest.mark.parametrize("damage", ["empty", "cut", "header", "another"])
def test_a_broken_converted_file_is_made_again(file: Path, damage: str) -> None:
    read = Reader()
    path = converted(str(file), "simo_serra", read, option=OPTION)
    if damage == "another":
        other = converted(str(file), "simo_serra", read, option=OPTION, variant="mse")
        path.write_bytes(other.read_bytes())
    else:
        whole = path.read_bytes()
        path.write_bytes({"empty": b"", "cut": whole[:-1], "header": b"\xff" * 99}[damage])
    read.read.clear()
    assert converted(str(file), "simo_serra", read, option=OPTION) == path
    assert read.read == [file]
    np.testing.assert_array_equal(load_file(path)["0.bias"], Reader()(file)["0.bias"])


def test_a_refused_source_leaves_nothing(kept: Path, file: Path) -> None:
    def refuse(path: Path) -> Mapping[str, NDArray[np.float32]]:
        raise SengaError(f"{path} has the shapes of another network.")

    with pytest.raises(SengaError, match="shapes of another network"):
        converted(str(file), "simo_serra", refuse, option=OPTION)
    assert not list(kept.rglob("*.safetensors"))
    assert not list(kept.rglob("*.tmp"))


def test_a_source_that_changes_while_it_is_read_is_refused(kept: Path, file: Path) -> None:
    def read(path: Path) -> Mapping[str, NDArray[np.float32]]:
        tensors = Reader()(path)
        path.write_bytes(CONTENT + b"!")
        return tensors

    with pytest.raises(SengaError, match="changed while it was read: run again"):
        converted(str(file), "simo_serra", read, option=OPTION)
    assert not list(kept.rglob("*.safetensors"))


def test_weights_of_another_network_are_not_fetched(web: Web, publish: Publish) -> None:
    publish("mse", CONTENT)
    with pytest.raises(SengaError, match="these are weights of simo_serra"):
        converted("mse", "sketchkeras", Reader(), option="[sketchkeras] weights")
    assert web.asked == []


def test_a_folder_that_cannot_be_written_is_one_sentence(kept: Path, file: Path) -> None:
    kept.write_text("")
    says = "simo_serra-[0-9a-f]{16}.safetensors could not be written into .*: set SENGA_WEIGHTS"
    with pytest.raises(SengaError, match=says):
        converted(str(file), "simo_serra", Reader(), option=OPTION)


def test_threads_convert_once(file: Path) -> None:
    read = Reader()
    with ThreadPoolExecutor(4) as threads:
        paths = threads.map(
            lambda _: converted(str(file), "simo_serra", read, option=OPTION), range(8)
        )
    assert len(set(paths)) == 1
    assert read.read == [file]
