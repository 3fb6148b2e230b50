"""Identities of weights, their local files, and their conversion."""

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
from sketch_models.weights.weights import (
    ensure_local,
    ensure_safetensors,
    fetch,
    identity,
    is_available,
    is_converted,
    missing_weights_message,
)

Publish = Callable[..., WeightFile]

TOP = Path(__file__).parents[3]
CONTENT = bytes(range(256)) * 400
OPTION = "[simo_serra] weights"


class Reader:
    """A fake of a network's reader that records the files that it read."""

    def __init__(self) -> None:
        self.paths: list[Path] = []

    def __call__(self, path: Path) -> Mapping[str, NDArray[np.float32]]:
        self.paths.append(path)
        content = np.frombuffer(path.read_bytes()[:96], np.uint8).astype(np.float32)
        return {"0.weight": content.reshape(2, 3, 4, 4).transpose(3, 2, 0, 1), "0.bias": content}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.t7"
    path.write_bytes(CONTENT)
    return path


def test_identity_of_a_name_is_its_published_digest(cache_folder: Path) -> None:
    assert identity("gan") == FILES["gan"].digest
    assert identity("resnet18") == "sha256:3f77756f"
    assert identity("sketchkeras") == f"url:{FILES['sketchkeras'].url}"
    assert not cache_folder.exists()


@pytest.mark.parametrize("name", ["gan", "resnet18"])
def test_copy_has_the_identity_of_its_name(publish: Publish, file: Path, name: str) -> None:
    other = identity(str(file))
    assert other == f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    publish(name, CONTENT)
    assert identity(str(file)) == identity(name) != other


def test_copy_of_the_first_seen_file_has_the_identity_of_its_name(
    publish: Publish, file: Path
) -> None:
    publish("sketchkeras", CONTENT)
    assert identity(str(file)) != identity("sketchkeras")
    fetch("sketchkeras", progress=False)
    assert identity(str(file)) == identity("sketchkeras")
    file.write_bytes(CONTENT + b"!")
    assert identity(str(file)) != identity("sketchkeras")


def test_changed_content_changes_the_identity(file: Path) -> None:
    before = identity(str(file))
    file.write_bytes(CONTENT + b"!")
    assert identity(str(file)) != before
    copy = file.with_name("copy")
    copy.write_bytes(CONTENT)
    assert identity(str(copy)) == before


def test_home_and_relative_paths_are_expanded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    monkeypatch.chdir(file.parent)
    assert identity("~/mine.t7") == identity("mine.t7") == identity(str(file))
    assert ensure_local("~/mine.t7", OPTION) == file
    assert is_available("~/mine.t7")


@pytest.mark.parametrize("weights", ["", ".", "/", "nowhere.t7", "~nobody/x", "a\0b", "x" * 5000])
def test_missing_path_is_refused(weights: str) -> None:
    for function in (identity, ensure_local):
        with pytest.raises(SengaError) as raised:
            function(weights, option=OPTION, network="simo_serra")  # type: ignore[operator]
        assert str(raised.value) == (
            f"{OPTION} = {weights}: there is no such file. Use gan, mse, pencil1, pencil2 or the "
            "path of a file."
        )
    assert not is_available(weights)


def test_weights_of_another_network_are_refused() -> None:
    assert identity("gan", network="simo_serra") == identity("gan")
    message = r"these are weights of danbooru_resnet\. Use sketchkeras or the path of a file"
    with pytest.raises(SengaError, match=message):
        identity("resnet18", option="[sketchkeras] weights", network="sketchkeras")


def test_identity_imports_no_heavy_library(file: Path) -> None:
    code = (
        "import sys\n"
        "from sketch_models.weights import weights\n"
        "assert not {'numpy', 'pooch', 'requests', 'safetensors'} & set(sys.modules)\n"
        "weights.identity('gan'), weights.identity(sys.argv[1])\n"
        "assert not {'numpy', 'requests', 'safetensors', 'torch', 'rich'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(file)], check=True, cwd=TOP)


def test_cache_folder_follows_the_environment_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SENGA_WEIGHTS", "")
    assert weights.cache_folder().name == "senga"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SENGA_WEIGHTS", "~/w")
    assert weights.cache_folder() == tmp_path / "w"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SENGA_WEIGHTS", "w")
    assert weights.cache_folder() == tmp_path / "w"


def test_is_available_after_download(web: Web, publish: Publish) -> None:
    publish("gan", CONTENT)
    assert not is_available("gan")
    assert web.requested == []
    assert ensure_local("gan", OPTION) == fetch("gan")
    assert is_available("gan")


def test_message_for_missing_weights_names_option_and_command() -> None:
    message = missing_weights_message("gan", OPTION, ", or set it to mse")
    assert message == (
        "[simo_serra] weights = gan: the weights are not on this machine. Run "
        "`python -m sketch_models.weights fetch gan`, or set it to mse."
    )


def test_is_converted_after_conversion(publish: Publish, file: Path) -> None:
    publish("gan", CONTENT)
    assert not is_converted("gan", "simo_serra", option=OPTION)
    ensure_safetensors("gan", "simo_serra", Reader(), option=OPTION)
    assert is_converted("gan", "simo_serra", option=OPTION)
    assert is_converted(str(file), "simo_serra", option=OPTION)  # the same content
    assert not is_converted("gan", "simo_serra", option=OPTION, variant="mse")


def test_weights_are_converted_once(publish: Publish, file: Path, cache_folder: Path) -> None:
    publish("gan", CONTENT)
    read = Reader()
    path = ensure_safetensors("gan", "simo_serra", read, option=OPTION)
    assert path.parent == cache_folder / "converted"
    assert ensure_safetensors("gan", "simo_serra", read, option=OPTION) == path
    assert ensure_safetensors(str(file), "simo_serra", read, option=OPTION) == path
    assert read.paths == [cache_folder / "sketch_gan.t7"]
    expected = Reader()(file)
    tensors = load_file(path)
    assert {name: value.shape for name, value in tensors.items()} == {
        "0.weight": (4, 4, 2, 3),
        "0.bias": (96,),
    }
    for name, value in expected.items():
        np.testing.assert_array_equal(tensors[name], value, strict=True)


def test_converted_file_stores_its_source_as_metadata(publish: Publish, file: Path) -> None:
    path = ensure_safetensors(str(file), "simo_serra", Reader(), option=OPTION, variant="gan")
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
    path = ensure_safetensors("gan", "simo_serra", Reader(), option=OPTION)
    with safe_open(path, framework="numpy") as opened:
        assert opened.metadata()["licence"] == "non-commercial research only"


def test_converted_file_depends_on_network_variant_content_and_layout(
    cache_folder: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def path(network: str = "simo_serra", variant: str = "") -> Path:
        return ensure_safetensors(str(file), network, Reader(), option=OPTION, variant=variant)

    paths = [path(), path(network="sketchkeras"), path(variant="mse"), path(variant="../../mse")]
    file.write_bytes(CONTENT[::-1])
    paths.append(path())
    monkeypatch.setattr(weights, "_LAYOUT", "2")
    paths.append(path())
    assert len(set(paths)) == 6
    assert {path.parent for path in paths} == {cache_folder / "converted"}


@pytest.mark.parametrize("damage", ["empty", "cut", "header", "another"])
def test_broken_converted_file_is_replaced(file: Path, damage: str) -> None:
    read = Reader()
    path = ensure_safetensors(str(file), "simo_serra", read, option=OPTION)
    if damage == "another":
        other = ensure_safetensors(str(file), "simo_serra", read, option=OPTION, variant="mse")
        path.write_bytes(other.read_bytes())
    else:
        whole = path.read_bytes()
        path.write_bytes({"empty": b"", "cut": whole[:-1], "header": b"\xff" * 99}[damage])
    read.paths.clear()
    assert ensure_safetensors(str(file), "simo_serra", read, option=OPTION) == path
    assert read.paths == [file]
    np.testing.assert_array_equal(load_file(path)["0.bias"], Reader()(file)["0.bias"])


def test_failed_conversion_leaves_no_file(cache_folder: Path, file: Path) -> None:
    def refuse(path: Path) -> Mapping[str, NDArray[np.float32]]:
        raise SengaError(f"{path} has the shapes of another network.")

    with pytest.raises(SengaError, match="shapes of another network"):
        ensure_safetensors(str(file), "simo_serra", refuse, option=OPTION)
    assert not list(cache_folder.rglob("*.safetensors"))
    assert not list(cache_folder.rglob("*.tmp"))


def test_source_that_changes_while_it_is_read_is_refused(cache_folder: Path, file: Path) -> None:
    def read(path: Path) -> Mapping[str, NDArray[np.float32]]:
        tensors = Reader()(path)
        path.write_bytes(CONTENT + b"!")
        return tensors

    with pytest.raises(SengaError, match="changed while it was read. Run again"):
        ensure_safetensors(str(file), "simo_serra", read, option=OPTION)
    assert not list(cache_folder.rglob("*.safetensors"))


def test_weights_of_another_network_are_not_downloaded(web: Web, publish: Publish) -> None:
    publish("mse", CONTENT)
    with pytest.raises(SengaError, match="these are weights of simo_serra"):
        ensure_safetensors("mse", "sketchkeras", Reader(), option="[sketchkeras] weights")
    assert web.requested == []


def test_unwritable_cache_folder_is_refused(cache_folder: Path, file: Path) -> None:
    cache_folder.write_text("")
    message = r"simo_serra-[0-9a-f]{16}\.safetensors cannot be written there .*Set SENGA_WEIGHTS"
    with pytest.raises(SengaError, match=message):
        ensure_safetensors(str(file), "simo_serra", Reader(), option=OPTION)


def test_concurrent_threads_convert_once(file: Path) -> None:
    read = Reader()
    with ThreadPoolExecutor(4) as threads:
        paths = threads.map(
            lambda _: ensure_safetensors(str(file), "simo_serra", read, option=OPTION), range(8)
        )
    assert len(set(paths)) == 1
    assert read.paths == [file]
