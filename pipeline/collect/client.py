"""How this program goes to other people's servers, for as long as its process lives."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from pipeline.collect.address import ANY, is_within
from pipeline.collect.fetch import Fetcher, Turns, plain
from pipeline.collect.fetch_error import FetchError
from pipeline.collect.host import HostLimits, Hosts, Tell, silence
from pipeline.collect.options import DownloadOptions
from pipeline.collect.robots import Robots
from pipeline.collect.schedule import Schedule

_OWN = HostLimits(connections=1_000_000, per_second=0, patience=60)
_MOST_TEXT = 64_000_000  # bytes


@dataclass(frozen=True, kw_only=True)
class Guest:
    """What is known of hosts, and what they are asked at most; shared by all threads.

    Attributes:
        options: rules and limits.
        hosts: that the source of the posts implies, by name; their subdomains too.
        connect_to: host name to `address:port`, of servers that belong to this program: their
            hosts have no limits, and these addresses are not checked.
        robots: every robots.txt that was read.
        tell: is told of pauses.
        states: of the hosts.
    """

    options: DownloadOptions
    hosts: tuple[str, ...] = ()
    connect_to: Mapping[str, str] = field(default_factory=dict)
    robots: Robots = field(default_factory=Robots)
    tell: Tell = silence
    states: Hosts = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "states", Hosts(self._limits, self.tell))

    def _limits(self, name: str) -> HostLimits:
        """Hosts that will not be asked need no pace."""
        allowed = {*self.hosts, *self.options.hosts}
        if name in self.connect_to or not (ANY in allowed or _is_among(name, allowed)):
            return _OWN
        return self.options.limits()

    def schedule(self, urls: Mapping[int, str]) -> Schedule:
        """Says when which of these URLs is asked for."""
        return Schedule(urls, self.states, self.options.retries)

    def fetcher(self, turns: Turns) -> Fetcher:
        """For one thread."""
        return Fetcher(
            self.options,
            hosts=self.hosts,
            connect_to=self.connect_to,
            robots=self.robots,
            turns=turns,
        )

    def read(self, url: str) -> bytes:
        """A text, with the same manners as pictures: pace, pauses, tries and rules.

        Args:
            url: of the text.

        Returns:
            Its bytes, 64 MB at most.

        Raises:
            FetchError: what went wrong with the last try.
        """
        schedule = self.schedule({0: url})
        with self.fetcher(schedule) as fetcher:
            while job := schedule.next():
                failure = None
                try:
                    job.refuse()
                    content = fetcher.get(url, plain(_MOST_TEXT))
                except FetchError as error:
                    failure = error
                if schedule.end(job, failure):
                    break
        if failure:
            raise failure
        return content


def _is_among(name: str, allowed: Collection[str]) -> bool:
    return any(is_within(name, host) for host in allowed)
