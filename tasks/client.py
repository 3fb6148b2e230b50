"""How the build goes to servers: to those that the source implies, or to the sample booru."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from functools import cache
from urllib.parse import urlsplit

from pipeline.collect.client import Guest
from pipeline.collect.download import DownloadOptions
from pipeline.posts.options import MetadataOptions
from tasks import config

logger = logging.getLogger("senga")

_SAFEBOORU = "safebooru.org"
_SAMPLE = "safebooru.example"  # a name that no server on the internet can have (RFC 2606)


def source_hosts() -> tuple[str, ...]:
    """The hosts that the source of the posts implies."""
    metadata = config.options(MetadataOptions)
    if metadata.source == "sample":
        return (_SAMPLE,)
    if metadata.source == "api":
        return (urlsplit(metadata.api).hostname or "", _SAFEBOORU)
    return (_SAFEBOORU,)


@contextlib.contextmanager
def going_out() -> Iterator[Guest]:
    """What asks servers; the sample booru is served meanwhile, where it is the source."""
    if _SAMPLE not in source_hosts():
        yield _known()
        return
    from pipeline.sample_booru import HOST, serve  # draws, which no other source needs

    posts = config.options(MetadataOptions).sample_posts
    seed = config.options(config.BuildOptions).seed
    with serve(posts=posts, seed=seed) as address:
        options = config.options(DownloadOptions)
        yield Guest(options=options, hosts=source_hosts(), connect_to={HOST: address})


@cache
def _known() -> Guest:
    """One for the process, so that what was learnt of a host holds for every shard."""
    options = config.options(DownloadOptions)
    return Guest(options=options, hosts=source_hosts(), tell=logger.info)
