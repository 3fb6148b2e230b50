"""The section `[download]`."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.collect.host import HostLimits
from sketch_models.option import option, require


@dataclass(frozen=True, kw_only=True)
class DownloadOptions:
    """How pictures are fetched: how politely, within what limits, and from where."""

    contact: str = option(
        "", "your e-mail address or web page, for the user agent", affects_result=False
    )
    threads: int = option(32, "URLs in flight at once", affects_result=False)
    connections_per_host: int = option(
        8, "URLs of one host in flight at once", affects_result=False
    )
    requests_per_second: float = option(
        10.0, "requests to one host per second; 0: no limit", affects_result=False
    )
    patience: float = option(
        600.0,
        "seconds without a good answer after which the rest of a host is left for a later run",
        affects_result=False,
    )
    robots_txt: bool = option(True, "leave alone what a host's robots.txt disallows")
    x_robots_tag: bool = option(True, "leave alone what X-Robots-Tag marks as noai or noimageai")
    hosts: tuple[str, ...] = option(
        (), "hosts that may be asked besides those of the source, with their subdomains; *: any"
    )
    allow_private: bool = option(
        False, "allow the loopback and private networks, for a booru of your own"
    )
    retries: int = option(3, "further tries after a failure that may pass", affects_result=False)
    connect_timeout: float = option(10.0, "seconds to connect", affects_result=False)
    first_byte_timeout: float = option(
        15.0, "seconds until the header of an answer is here, and of silence", affects_result=False
    )
    deadline: float = option(
        60.0, "seconds for one try with all its redirects", affects_result=False
    )
    min_speed: float = option(
        1000.0, "bytes per second below which a body is given up", affects_result=False
    )
    max_bytes: int = option(32_000_000, "largest picture file that is accepted, bytes")
    max_failed_share: float = option(
        0.9, "share of a shard's posts that may fail for now, 0 to 1", affects_result=False
    )

    def __post_init__(self) -> None:
        """Raises OptionError for values that cannot work."""
        for name, least, most in (
            ("threads", 1, 256),
            ("connections_per_host", 1, 256),
            ("retries", 0, 10),
            ("max_bytes", 1, 2**31),
        ):
            number = getattr(self, name)
            expected = f"a number from {least} to {most}"
            require(least <= number <= most, f"[download] {name}", number, expected)
        for name in ("connect_timeout", "first_byte_timeout", "deadline", "patience"):
            seconds = getattr(self, name)
            expected = "seconds, above 0, up to 86400"
            require(0 < seconds <= 86400, f"[download] {name}", seconds, expected)
        for name in ("requests_per_second", "min_speed"):
            value = getattr(self, name)
            require(0 <= value < float("inf"), f"[download] {name}", value, "0 or more")
        share = self.max_failed_share
        require(0 <= share <= 1, "[download] max_failed_share", share, "a share from 0 to 1")
        self._check_texts()

    def _check_texts(self) -> None:
        contact = self.contact
        require(
            contact.isascii() and contact.isprintable() and not set("()") & {*contact},
            "[download] contact",
            repr(contact),
            "an e-mail address or a web page, in ASCII and without brackets",
        )
        for host in self.hosts:
            plain = host == host.lower() and not set("/:@*") & {*host}
            expected = "names of hosts in lower case, such as cdn.donmai.us, or *"
            require(plain or host == "*", "[download] hosts", host, expected)

    def limits(self) -> HostLimits:
        """Return the limits on the requests to one host."""
        return HostLimits(
            connections=self.connections_per_host,
            per_second=self.requests_per_second,
            patience=self.patience,
        )
