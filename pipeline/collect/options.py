"""The section `[download]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.collect.host import HostLimits
from sketch_models.option import Options, option

_SECONDS: dict[str, Any] = {"above": 0, "at_most": 86_400, "unit": "seconds"}


@dataclass(frozen=True, kw_only=True)
class DownloadOptions(Options, section="download"):
    """How pictures are downloaded: contact, rates, timeouts and allowed hosts."""

    contact: str = option(
        "", "your e-mail address or web page, for the user agent", affects_result=False
    )
    threads: int = option(
        32, "URLs in flight at once", affects_result=False, at_least=1, at_most=256
    )
    connections_per_host: int = option(
        8, "URLs of one host in flight at once", affects_result=False, at_least=1, at_most=256
    )
    requests_per_second: float = option(
        10.0, "requests to one host per second; 0: no limit", affects_result=False, at_least=0
    )
    host_timeout: float = option(
        600.0,
        "seconds without a good response after which the rest of a host is left for a later run",
        affects_result=False,
        **_SECONDS,
        renamed_from="patience",
    )
    robots_txt: bool = option(True, "do not request what a host's robots.txt disallows")
    x_robots_tag: bool = option(True, "do not keep what X-Robots-Tag marks as noai or noimageai")
    hosts: tuple[str, ...] = option(
        (), "hosts to download from besides those of the source, with their subdomains; *: any"
    )
    allow_private: bool = option(
        False, "allow the loopback and private networks, for a booru of your own"
    )
    retries: int = option(
        3,
        "further tries after a transient failure",
        affects_result=False,
        at_least=0,
        at_most=10,
    )
    connect_timeout: float = option(
        10.0, "seconds to connect to a host", affects_result=False, **_SECONDS
    )
    first_byte_timeout: float = option(
        15.0,
        "seconds to wait for the header of a response, and for each further part of it",
        affects_result=False,
        **_SECONDS,
    )
    total_timeout: float = option(
        60.0,
        "seconds for one try of a download with all its redirects",
        affects_result=False,
        **_SECONDS,
        renamed_from="deadline",
    )
    min_speed: float = option(
        1000.0,
        "bytes per second below which a download is aborted",
        affects_result=False,
        at_least=0,
    )
    max_bytes: int = option(
        32_000_000, "largest picture file that is accepted, in bytes", at_least=1, at_most=2**31
    )
    wrong_type: str = option(
        "keep",
        "files of another type than their URL's extension, such as a JPEG named .png: keep them, "
        "under their true type, or drop them",
        choices=("keep", "drop"),
    )
    max_failed_share: float = option(
        0.9,
        "share of a shard's posts that may fail transiently, 0 to 1; more stop the build",
        affects_result=False,
        at_least=0,
        at_most=1,
    )

    def __post_init__(self) -> None:
        """Check every value, the contact and the names of hosts by their letters."""
        super().__post_init__()
        contact = self.contact
        self.require(
            contact.isascii() and contact.isprintable() and not set("()") & {*contact},
            "contact",
            "an e-mail address or a web page, in ASCII and without brackets",
        )
        for host in self.hosts:
            plain = host == host.lower() and not set("/:@*") & {*host}
            hosts = "names of hosts in lower case, such as cdn.donmai.us, or *"
            self.require(plain or host == "*", "hosts", hosts)

    def limits(self) -> HostLimits:
        """Return the limits on the requests to one host."""
        return HostLimits(
            connections=self.connections_per_host,
            per_second=self.requests_per_second,
            host_timeout=self.host_timeout,
        )
