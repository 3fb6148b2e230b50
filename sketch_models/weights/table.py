"""The published weight files: addresses, digests, sizes and licences."""

from __future__ import annotations

from dataclasses import dataclass

from sketch_models.weights.digests import Digests


@dataclass(frozen=True, kw_only=True)
class WeightFile:
    """One published file.

    Attributes:
        name: in the configuration.
        network: sketchkeras, simo_serra or danbooru_resnet.
        url: address of the file.
        digest: `md5:<hex>`, `sha256:<hex>` or the first digits of one; empty if upstream
            published none.
        licence: of the weights.
        non_commercial: whether the licence forbids commercial use.
        megabytes: approximate size; at least that of the network's tensors.
        option: section and key that take the path of a local copy; empty if none do.
    """

    name: str
    network: str
    url: str
    digest: str
    licence: str
    non_commercial: bool
    megabytes: float
    option: str

    @property
    def filename(self) -> str:
        """The file name under which it is published."""
        return self.url.rpartition("/")[2]

    @property
    def identity(self) -> str:
        """The string that stands for its content in a fingerprint."""
        return self.digest or f"url:{self.url}"

    def matches(self, digests: Digests) -> bool:
        """Return whether the published digest is among these; False if none is published."""
        algorithm, _, digits = self.digest.partition(":")
        if not digits:
            return False
        return {"md5": digests.md5, "sha256": digests.sha256}[algorithm].startswith(digits)


def _simo_serra(name: str, filename: str, md5: str) -> WeightFile:
    return WeightFile(
        name=name,
        network="simo_serra",
        url=f"https://esslab.jp/~ess/data/{filename}",
        digest=f"md5:{md5}",
        licence="non-commercial research only",
        non_commercial=True,
        megabytes=177.5,
        option="[simo_serra] weights",
    )


def _danbooru_resnet(name: str, sha256_head: str, megabytes: float) -> WeightFile:
    release = "https://github.com/RF5/danbooru-pretrained/releases/download/v0.1"
    return WeightFile(
        name=name,
        network="danbooru_resnet",
        url=f"{release}/{name}-{sha256_head}.pth",
        digest=f"sha256:{sha256_head}",
        licence="none stated",
        non_commercial=False,
        megabytes=megabytes,
        option="",
    )


_ALL = (
    WeightFile(
        name="sketchkeras",
        network="sketchkeras",
        url="https://github.com/lllyasviel/sketchKeras/releases/download/0.1/mod.h5",
        digest="",
        licence="Apache-2.0",
        non_commercial=False,
        megabytes=74.6,
        option="[sketchkeras] weights",
    ),
    _simo_serra("gan", "sketch_gan.t7", "3a5b4088f2490ca4b8140a374e80c878"),
    _simo_serra("mse", "sketch_mse.t7", "12317df9a0a2a7220629f5f361b45b82"),
    _simo_serra("pencil1", "pencil_artist1.t7", "33d553ff3a50d6522e79a73002b0025c"),
    _simo_serra("pencil2", "pencil_artist2.t7", "537b3ad9d46b2a82b65883be747a7ba9"),
    _danbooru_resnet("resnet18", "3f77756f", 47.0),
    _danbooru_resnet("resnet34", "88a5e79d", 88.0),
    _danbooru_resnet("resnet50", "13306192", 115.0),
)

FILES: dict[str, WeightFile] = {file.name: file for file in _ALL}
"""All published files, by name."""
