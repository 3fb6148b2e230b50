"""The section `[metadata]`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from sketch_models.option import option, require

HOW_TO_GET_IT = (
    "the Kaggle dataset alamson/safebooru holds it as all_data.csv: --metadata-source kaggle "
    "fetches it (`pip install -e .[kaggle]`), or set [metadata] csv to the path of your copy"
)
"""The end of the sentence where there is no CSV."""

_SOURCES = ("sample", "csv", "kaggle", "api")


@dataclass(frozen=True, kw_only=True)
class MetadataOptions:
    """Where posts come from: section `[metadata]`."""

    source: str = option(
        "sample", "sample (a small booru drawn on the spot), csv, kaggle or api (a live board)"
    )
    csv: str = option("", "CSV in the Kaggle layout, plain or gzipped, or Parquet; source = csv")
    api: str = option("https://safebooru.org/index.php", "address of a board's API; source = api")
    new_posts: bool = option(
        True,
        "ask the board for posts that are new since the last run; source = api",
        affects_result=False,
    )
    sample_posts: int = option(365, "posts of the sample booru, where it is asked")

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        require(
            self.source in _SOURCES,
            "[metadata] source",
            self.source,
            f"one of {', '.join(_SOURCES)}",
        )
        if self.source == "csv":
            require(bool(self.csv), "[metadata] csv", "''", f"the path of a CSV: {HOW_TO_GET_IT}")
        address = self.api.partition("?")[0]
        whole = address == self.api and bool(urlsplit(address).hostname)
        require(
            whole and address.startswith(("https://", "http://")),
            "[metadata] api",
            repr(self.api),
            "an address such as https://safebooru.org/index.php",
        )
        require(
            self.sample_posts > 0, "[metadata] sample_posts", self.sample_posts, "1 post or more"
        )
