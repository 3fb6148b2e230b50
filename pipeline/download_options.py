"""The section `[download]`."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.option import option, require


@dataclass(frozen=True, kw_only=True)
class DownloadOptions:
    """How pictures are fetched."""

    threads: int = option(32, "URLs in flight at once", affects_result=False)
    retries: int = option(3, "further tries after a failure that may pass", affects_result=False)
    timeout: float = option(10.0, "seconds without a sign of the server", affects_result=False)
    deadline: float = option(60.0, "seconds for one URL with all its tries", affects_result=False)
    max_bytes: int = option(32_000_000, "largest picture file that is accepted, bytes")
    contact: str = option(
        "", "your e-mail address or web page, for the user agent", affects_result=False
    )
    max_failed_share: float = option(
        0.9, "share of a shard's posts that may fail for now, 0 to 1", affects_result=False
    )

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        require(
            1 <= self.threads <= 256, "[download] threads", self.threads, "a number from 1 to 256"
        )
        require(
            0 <= self.retries <= 10, "[download] retries", self.retries, "a number from 0 to 10"
        )
        for name in ("timeout", "deadline"):
            seconds = getattr(self, name)
            require(
                0 < seconds <= 3600, f"[download] {name}", seconds, "seconds, above 0, up to 3600"
            )
        require(
            1 <= self.max_bytes <= 2**31,
            "[download] max_bytes",
            self.max_bytes,
            "a number of bytes from 1 to 2147483648",
        )
        require(
            self.contact.isascii()
            and self.contact.isprintable()
            and not set("()") & {*self.contact},
            "[download] contact",
            repr(self.contact),
            "an e-mail address or a web page, in ASCII and without brackets",
        )
        require(
            0 <= self.max_failed_share <= 1,
            "[download] max_failed_share",
            self.max_failed_share,
            "a share from 0 to 1",
        )
