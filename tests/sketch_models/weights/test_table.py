"""The table of published files is complete and consistent."""

import re

import pytest

from sketch_models.weights.digests import Digests
from sketch_models.weights.table import FILES, WeightFile


def test_names_and_networks() -> None:
    networks = {name: file.network for name, file in FILES.items()}
    assert networks == {
        "sketchkeras": "sketchkeras",
        **dict.fromkeys(("gan", "mse", "pencil1", "pencil2"), "simo_serra"),
        **dict.fromkeys(("resnet18", "resnet34", "resnet50"), "danbooru_resnet"),
    }
    assert all(file.name == name for name, file in FILES.items())


@pytest.mark.parametrize("file", FILES.values(), ids=list(FILES))
def test_entry_is_well_formed(file: WeightFile) -> None:
    assert file.url.startswith("https://")
    assert re.fullmatch(r"[\w-]+\.(h5|t7|pth)", file.filename)
    assert re.fullmatch(r"(md5:[0-9a-f]{32}|sha256:[0-9a-f]{8})?", file.digest)
    assert file.non_commercial == ("non-commercial" in file.licence)
    assert file.megabytes > 40


def test_filenames_and_identities_are_unique() -> None:
    for values in (
        [file.filename for file in FILES.values()],
        [f.identity for f in FILES.values()],
    ):
        assert len(set(values)) == len(FILES)
    assert FILES["gan"].identity == "md5:3a5b4088f2490ca4b8140a374e80c878"
    assert FILES["sketchkeras"].identity == f"url:{FILES['sketchkeras'].url}"


def test_digest_prefix_matches() -> None:
    digests = Digests(md5="3a5b4088f2490ca4b8140a374e80c878", sha256="3f77756f" + "0" * 56)
    assert FILES["gan"].matches(digests)
    assert FILES["resnet18"].matches(digests)
    for name in ("mse", "resnet34", "sketchkeras"):
        assert not FILES[name].matches(digests)
    assert not FILES["resnet18"].matches(Digests(md5="3f77756f", sha256="0" * 64))
