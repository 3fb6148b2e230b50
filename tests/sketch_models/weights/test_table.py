"""The table says what upstream published."""

import re

import pytest

from sketch_models.weights.digests import Digests
from sketch_models.weights.table import FILES, WeightFile


def test_the_names_are_these() -> None:
    networks = {name: file.network for name, file in FILES.items()}
    assert networks == {
        "sketchkeras": "sketchkeras",
        **dict.fromkeys(("gan", "mse", "pencil1", "pencil2"), "simo_serra"),
        **dict.fromkeys(("resnet18", "resnet34", "resnet50"), "danbooru_resnet"),
    }
    assert all(file.name == name for name, file in FILES.items())


@pytest.mark.parametrize("file", FILES.values(), ids=list(FILES))
def test_rows_are_whole(file: WeightFile) -> None:
    assert file.url.startswith("https://")
    assert re.fullmatch(r"[\w-]+\.(h5|t7|pth)", file.file)
    assert re.fullmatch(r"(md5:[0-9a-f]{32}|sha256:[0-9a-f]{8})?", file.digest)
    assert file.non_commercial == ("non-commercial" in file.licence)
    assert file.megabytes > 40


def test_files_and_identities_differ() -> None:
    for values in ([file.file for file in FILES.values()], [f.identity for f in FILES.values()]):
        assert len(set(values)) == len(FILES)
    assert FILES["gan"].identity == "md5:3a5b4088f2490ca4b8140a374e80c878"
    assert FILES["sketchkeras"].identity == f"url:{FILES['sketchkeras'].url}"


def test_promises() -> None:
    right = Digests(md5="3a5b4088f2490ca4b8140a374e80c878", sha256="3f77756f" + "0" * 56)
    assert FILES["gan"].promises(right)
    assert FILES["resnet18"].promises(right)
    for name in ("mse", "resnet34", "sketchkeras"):
        assert not FILES[name].promises(right)
    assert not FILES["resnet18"].promises(Digests(md5="3f77756f", sha256="0" * 64))
