"""The download of a shard, from a server that lacks half of the pictures."""

import errno
import hashlib
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.harness.web import Web
from pipeline.collect.client import PoliteClient
from pipeline.collect.download import (
    DownloadOptions,
    DownloadResult,
    check_failed_share,
    download_shard,
    kept_ids,
)
from pipeline.collect.journal import Journal
from pipeline.collect.outcome import (
    MEANINGS,
    DownloadOutcome,
    is_code,
    is_transient,
    read_outcomes,
    write_outcomes,
)
from pipeline.outcome import read_ok_ids
from pipeline.shard import ShardReader
from sketch_models.errors import ConfigError, SengaError
from tests.pipeline.collect.fake_clock import FakeClock

Files = dict[str, bytes]


OPEN = {"allow_private": True, "robots_txt": False, "requests_per_second": 0, "retries": 0}


def client_of(clock: FakeClock | None = None, **options: object) -> PoliteClient:
    """A client that may send requests to the server of the tests."""
    chosen = DownloadOptions(**OPEN | options)  # type: ignore[arg-type]
    times = {"clock": clock, "wait": clock.wait} if clock else {}
    return PoliteClient(options=chosen, allowed_hosts=("127.0.0.1",), **times)  # type: ignore[arg-type]


class Folder:
    """The files of a shard, and its download again and again, as the build does it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.posts, self.tar, self.table = root / "posts", root / "0.tar", root / "outcomes"
        self.journal = root / "0.journal"
        self.done: list[int] = []

    def write(self, urls: dict[int, str]) -> None:
        pl.DataFrame(
            {"tags": [""] * len(urls), "url": list(urls.values()), "id": list(urls)},
            schema={"tags": pl.String, "url": pl.String, "id": pl.Int64},
        ).write_parquet(self.posts)

    def download(
        self, urls: dict[int, str], clock: FakeClock | None = None, **options: object
    ) -> DownloadResult:
        self.write(urls)
        self.done.clear()
        new_tar, new_table = self.root / "new.tar", self.root / "new"
        result = download_shard(
            self.posts,
            new_tar,
            new_table,
            client_of(clock, **options),
            journal=self.journal,
            previous_tar=self.tar,
            previous_table=self.table,
            on_progress=self.done.append,
        )
        new_tar.replace(self.tar)
        new_table.replace(self.table)
        self.journal.unlink()
        return result

    def begin(self, on_progress: Callable[[int], None]) -> None:
        """Start a download that is not expected to end; it leaves its journal."""
        new_tar, new_table, client = self.root / "new.tar", self.root / "new", client_of(threads=4)
        download_shard(
            self.posts, new_tar, new_table, client, journal=self.journal, on_progress=on_progress
        )

    def pictures(self) -> dict[str, bytes]:
        with ShardReader(self.tar) as shard:
            return {
                f"{post_id}.{extension}": shard.read(post_id, extension)
                for post_id in shard.ids
                for extension in shard.parts(post_id)
            }


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def half_dead(web: Web, files: Files, number: int) -> dict[int, str]:
    """Posts whose even ids are live; a picture in five is a PNG, and they differ."""
    urls = {}
    for post_id in range(1, number + 1):
        extension = "png" if post_id % 5 == 0 else "jpg"
        content = files[extension] + str(post_id).encode()  # behind its end, which does no harm
        page = web.page(b"gone", 404) if post_id % 2 else web.page(content)
        urls[post_id] = web.put(f"/{post_id}.{extension}", page)
    return urls


def test_every_url_is_a_row(web: Web, folder: Folder, files: Files) -> None:
    urls = half_dead(web, files, 40)
    result = folder.download(urls, threads=8)
    assert (result.kept, result.dropped, result.transient) == (20, {"http_404": 20}, 0)
    assert [row.id for row in result.outcomes] == list(urls)
    assert list(read_outcomes(folder.table).values()) == result.outcomes
    assert sum(folder.done) == 40
    for name, content in folder.pictures().items():
        post_id = int(name.partition(".")[0])
        row = result.outcomes[post_id - 1]
        assert urls[post_id].endswith(f"/{name}")
        assert row.sha256 == hashlib.sha256(content).hexdigest()
    assert web.connections <= 8


def test_tar_depends_on_the_pictures_alone(web: Web, tmp_path: Path, files: Files) -> None:
    urls = half_dead(web, files, 30)
    made = {}
    for threads in (1, 16):
        (tmp_path / str(threads)).mkdir()
        folder = Folder(tmp_path / str(threads))
        shuffled = random.Random(threads).sample(sorted(urls.items()), len(urls))
        result = folder.download(dict(shuffled), threads=threads)
        made[threads] = (folder.tar.read_bytes(), folder.table.read_bytes(), result.digest)
    assert made[1] == made[16]
    ids = [int(name.partition(".")[0]) for name in folder.pictures()]
    assert ids == sorted(ids)


def test_second_run_sends_no_requests(web: Web, folder: Folder, files: Files) -> None:
    urls = half_dead(web, files, 20)
    first, before = folder.download(urls), folder.tar.read_bytes()
    web.requested.clear()
    second = folder.download(urls)
    assert (web.requested, second, folder.tar.read_bytes()) == ([], first, before)
    assert folder.done == [20]


def test_only_new_posts_are_downloaded(web: Web, folder: Folder, files: Files) -> None:
    urls = half_dead(web, files, 20)
    folder.download({post_id: urls[post_id] for post_id in range(4, 13)})
    web.requested.clear()
    result = folder.download({post_id: urls[post_id] for post_id in (2, 4, 5, 16)})
    assert sorted(web.requested) == ["/16.jpg", "/2.jpg"]
    assert [row.id for row in result.outcomes] == [2, 4, 5, 16]
    assert (result.kept, result.dropped) == (3, {"http_404": 1})
    assert len(folder.pictures()) == 7  # those of other posts, too
    assert len(read_outcomes(folder.table)) == 11
    assert kept_ids(folder.posts, folder.table) == [2, 4, 16]


def test_transient_failure_is_retried_next_run(web: Web, folder: Folder, files: Files) -> None:
    urls = {
        1: web.put("/1.jpg", web.page(status=503), web.page(files["jpg"])),
        2: web.put("/2.jpg", web.page(status=410), web.page(files["jpg"])),
    }
    assert folder.download(urls).transient == 1
    result = folder.download(urls)
    assert [row.code for row in result.outcomes] == ["ok", "http_410"]
    assert web.requested.count("/2.jpg") == 1


def test_failed_post_with_a_new_url_is_retried(web: Web, folder: Folder, files: Files) -> None:
    folder.download({1: web.put("/old.jpg", web.page(status=404))})
    assert folder.download({1: web.put("/new.jpg", web.page(files["jpg"]))}).kept == 1


def test_too_large_picture_is_retried_with_a_higher_limit(
    web: Web, folder: Folder, files: Files
) -> None:
    urls, size = {1: web.put("/1.jpg", web.page(files["jpg"]))}, len(files["jpg"])
    cases = [(9, "too_many_bytes", 1), (10, "too_many_bytes", 1), (size, "ok", 2)]
    for max_bytes, code, requests in cases:
        assert folder.download(urls, max_bytes=max_bytes).outcomes[0].code == code
        assert len(web.requested) == requests


def test_lost_tar_is_downloaded_again(web: Web, folder: Folder, files: Files) -> None:
    urls = half_dead(web, files, 10)
    first = folder.download(urls)
    folder.tar.unlink()
    web.requested.clear()
    few = {2: urls[2], 3: urls[3]}
    assert folder.download(few).kept == 1
    assert web.requested == ["/2.jpg"]  # missing pictures are final
    assert read_ok_ids(folder.table) == [2]
    assert folder.download(urls).digest == first.digest


def test_lost_table_is_made_from_the_tar(web: Web, folder: Folder, files: Files) -> None:
    urls = half_dead(web, files, 10)
    first = folder.download(urls)
    folder.table.unlink()
    web.requested.clear()
    second = folder.download(urls)
    assert all(int(path[1:].partition(".")[0]) % 2 for path in web.requested)
    assert (second.kept, second.digest) == (5, first.digest)


def test_digest_depends_on_the_pictures_alone(web: Web, folder: Folder, files: Files) -> None:
    urls = half_dead(web, files, 6)
    digest = folder.download(urls).digest
    assert folder.download({2: urls[2], 4: urls[4], 6: urls[6]}).digest == digest
    assert folder.download({2: urls[2], 4: urls[4]}).digest != digest


def test_kill_loses_only_requests_in_flight(
    web: Web, folder: Folder, tmp_path: Path, files: Files
) -> None:
    urls = half_dead(web, files, 40)
    (tmp_path / "undisturbed").mkdir()
    undisturbed = Folder(tmp_path / "undisturbed")
    expected = undisturbed.download(urls)

    def stop(done: int) -> None:
        folder.done.append(done)
        if sum(folder.done) == 25:
            raise KeyboardInterrupt

    folder.write(urls)
    with pytest.raises(KeyboardInterrupt):
        folder.begin(stop)
    assert threads_end()
    web.requested.clear()
    result = folder.download(urls)
    assert len(web.requested) <= 15
    assert result == expected
    assert folder.tar.read_bytes() == undisturbed.tar.read_bytes()
    assert folder.table.read_bytes() == undisturbed.table.read_bytes()


def test_journal_entries_of_other_posts_are_kept(web: Web, folder: Folder, files: Files) -> None:
    urls = half_dead(web, files, 8)
    folder.download(urls)
    folder.tar.rename(folder.root / "all.tar")
    with ShardReader(folder.root / "all.tar") as shard, Journal(folder.journal) as journal:
        for row in read_outcomes(folder.table).values():
            extension = shard.parts(row.id)[0] if row.code == "ok" else ""
            content = shard.read(row.id, extension) if extension else b""
            journal.add(row, extension, content)
    folder.table.unlink()
    web.requested.clear()
    folder.download({2: urls[2], 3: urls[3]})
    assert (web.requested, len(folder.pictures())) == ([], 4)
    assert folder.tar.read_bytes() == (folder.root / "all.tar").read_bytes()


def test_unchanged_tar_is_linked(web: Web, folder: Folder, files: Files) -> None:
    urls = half_dead(web, files, 20)
    folder.download(urls)
    before = folder.tar.stat().st_ino
    folder.download({4: urls[4]})
    assert folder.tar.stat().st_ino == before


def flip(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 4
    path.unlink()  # it may be a hard link
    path.write_bytes(content)


def test_damaged_pictures_alone_are_downloaded_again(
    web: Web, folder: Folder, files: Files
) -> None:
    urls = half_dead(web, files, 20)
    expected = folder.download(urls)
    whole = folder.tar.read_bytes()
    places = {4: whole.index(b"\0" * 9, whole.index(b"4.jpg")) - 1, 8: whole.index(b"8.jpg") + 700}
    for post_id, position in places.items():  # one in its header, one in its content
        folder.tar.write_bytes(whole)
        flip(folder.tar, position)
        web.requested.clear()
        result = folder.download(urls)
        assert web.requested == [f"/{post_id}.jpg"]
        assert (result.outcomes, list(result.damaged)) == (expected.outcomes, [post_id])
        assert folder.tar.read_bytes() == whole
    assert not folder.download(urls).damaged


def test_pictures_behind_a_cut_are_downloaded_again(web: Web, folder: Folder, files: Files) -> None:
    urls = half_dead(web, files, 20)
    folder.download(urls)
    whole = folder.tar.read_bytes()
    folder.tar.write_bytes(whole[: whole.index(b"8.jpg") + 700])
    web.requested.clear()
    folder.download(urls)
    again = {f"/{n}.{'png' if n % 5 == 0 else 'jpg'}" for n in range(8, 21, 2)}
    assert (len(web.requested), set(web.requested)) == (len(again), again)
    assert folder.tar.read_bytes() == whole


def test_damaged_picture_of_another_filter_is_forgotten(
    web: Web, folder: Folder, files: Files
) -> None:
    urls = half_dead(web, files, 20)
    folder.download(urls)
    whole = folder.tar.read_bytes()
    flip(folder.tar, whole.index(b"8.jpg") + 700)
    web.requested.clear()
    assert list(folder.download({2: urls[2], 4: urls[4]}).damaged) == [8]
    assert web.requested == []
    assert "8.jpg" not in folder.pictures()
    folder.download(urls)
    assert web.requested == ["/8.jpg"]
    assert folder.tar.read_bytes() == whole


def test_blocked_url_is_checked_again(web: Web, folder: Folder, files: Files) -> None:
    url = web.put("/a.jpg", web.page(files["jpg"])).replace("127.0.0.1", "localhost")
    result = folder.download({1: url})
    assert result.dropped == {"wrong_host": 1}
    assert web.requested == []
    assert folder.download({1: url}, hosts=("localhost",), allow_private=False).dropped == {
        "private_address": 1
    }
    assert folder.download({1: url}, hosts=("localhost",)).kept == 1


def test_noai_is_retried_if_x_robots_tag_is_off(web: Web, folder: Folder, files: Files) -> None:
    urls = {1: web.put("/a.jpg", web.page(files["jpg"], X_Robots_Tag="noai"))}
    assert folder.download(urls).dropped == {"noai": 1}
    assert folder.download(urls).dropped == {"noai": 1}
    assert len(web.requested) == 1
    assert folder.download(urls, x_robots_tag=False).kept == 1


def test_wrong_type_is_retried_if_it_is_kept(web: Web, folder: Folder, files: Files) -> None:
    urls = {1: web.put("/a.jpg", web.page(files["png"]))}
    for _ in range(2):
        assert folder.download(urls, wrong_type="drop").dropped == {"wrong_type": 1}
    assert len(web.requested) == 1
    assert folder.download(urls).kept == 1
    with ShardReader(folder.tar) as shard:
        assert shard.parts(1) == ["png"]


def test_rest_of_a_given_up_host_is_left_for_the_next_run(web: Web, folder: Folder) -> None:
    refusal = web.page(status=429, Retry_After=9999)
    urls = {n: web.put(f"/{n}.jpg", refusal) for n in range(1, 60)}
    result = folder.download(urls, threads=4)
    assert len(web.requested) <= 4
    assert result.transient == 59
    assert set(result.dropped) == {"host_unavailable", "http_429"}


def test_connections_per_host_are_limited(web: Web, folder: Folder, files: Files) -> None:
    urls = half_dead(web, files, 30)
    folder.download(urls, threads=16, connections_per_host=2)
    assert web.max_in_flight <= 2
    folder.tar.unlink()
    folder.table.unlink()


def test_requests_per_second_are_limited(web: Web, folder: Folder, files: Files) -> None:
    clock = FakeClock()
    folder.download(half_dead(web, files, 11), clock, threads=1, requests_per_second=20.0)
    assert clock.now == pytest.approx(0.5)


def test_shard_without_posts_is_empty(folder: Folder) -> None:
    result = folder.download({})
    assert (result.outcomes, result.kept, result.dropped) == ([], 0, {})
    assert folder.pictures() == {}
    check_failed_share(result, DownloadOptions())


def test_table_of_something_else_is_refused(folder: Folder) -> None:
    folder.table.write_bytes(b"PAR1, or so")
    with pytest.raises(SengaError, match="outcomes is damaged: .* Delete it"):
        folder.download({1: "http://127.0.0.1:9/a.jpg"})
    pl.DataFrame({"id": [1]}).write_parquet(folder.table)
    with pytest.raises(SengaError, match="outcomes is damaged: .* Delete it"):
        folder.download({1: "http://127.0.0.1:9/a.jpg"})


def threads_end() -> bool:
    """Return whether all threads of downloads end."""
    threads = [thread for thread in threading.enumerate() if thread.name == "download"]
    for thread in threads:
        thread.join(10)
    return not any(thread.is_alive() for thread in threads)


def test_full_disk_stops_the_run(
    web: Web, folder: Folder, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Journal, "add", full)
    with pytest.raises(OSError, match="No space left"):
        folder.download(half_dead(web, files, 40), threads=4)
    assert threads_end()
    assert len(web.requested) < 40


def test_missing_folder_raises(web: Web, tmp_path: Path, files: Files) -> None:
    folder = Folder(tmp_path)
    folder.download(half_dead(web, files, 2))
    with pytest.raises(FileNotFoundError):
        download_shard(
            folder.posts,
            tmp_path / "none" / "0.tar",
            folder.table,
            client_of(),
            journal=folder.journal,
        )


def test_interrupt_ends_the_threads(web: Web, folder: Folder, files: Files) -> None:
    urls = {0: web.put("/0.jpg", web.page(status=503, Retry_After=1))}
    urls |= half_dead(web, files, 30)

    def interrupt(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    folder.download(urls)
    with pytest.raises(KeyboardInterrupt):
        folder.begin(interrupt)
    assert threads_end()


def test_threads_end_with_the_run_and_cut_their_requests_off(
    web: Web, folder: Folder, files: Files
) -> None:
    """A thread that is in a library while the interpreter ends aborts the process."""
    urls = {1: web.put("/1.jpg", web.silence), 2: web.put("/2.jpg", web.drip(files["jpg"], 0.05))}
    urls |= {3: web.put("/3.jpg", web.page(files["jpg"]))}

    def interrupt(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    folder.write(urls)
    with pytest.raises(KeyboardInterrupt):
        folder.begin(interrupt)
    assert not [thread for thread in threading.enumerate() if thread.name == "download"]


def test_threads_are_daemons(web: Web, folder: Folder) -> None:
    urls = {1: web.put("/1.jpg", web.silence)}
    run = threading.Thread(target=folder.download, args=[urls], kwargs={"first_byte_timeout": 0.5})
    run.start()
    while not web.requested:
        time.sleep(0.01)
    assert [t.daemon for t in threading.enumerate() if t.name == "download"] == [True]
    run.join()


def result_of(codes: list[str]) -> DownloadResult:
    return DownloadResult([DownloadOutcome(n, code) for n, code in enumerate(codes)])


def test_too_many_transient_failures_stop_the_run() -> None:
    options = DownloadOptions(max_failed_share=0.5)
    check_failed_share(
        result_of(["http_404"] * 99 + ["ok"]), options
    )  # an old list, and no trouble
    check_failed_share(result_of(["timeout"] * 5 + ["ok"] * 5), options)
    with pytest.raises(SengaError) as caught:
        check_failed_share(
            result_of(["timeout"] * 2 + ["connection_failed"] * 4 + ["http_404"] * 4), options
        )
    assert str(caught.value) == (
        "6 of 10 pictures could not be downloaded (connection_failed 4, timeout 2). Check the "
        "network and run again, or raise [download] max_failed_share. Those downloaded so far "
        "are kept."
    )


def test_too_many_private_hosts_stop_the_run() -> None:
    rows = [DownloadOutcome(n, "private_address", "booru.lan is 10.0.0.1") for n in range(19)]
    with pytest.raises(SengaError, match=r"private network \(booru\.lan\).*allow_private = true"):
        check_failed_share(DownloadResult([*rows, DownloadOutcome(99, "ok")]), DownloadOptions())
    check_failed_share(DownloadResult([rows[0], DownloadOutcome(99, "ok")]), DownloadOptions())


def test_too_many_hosts_that_are_not_allowed_stop_the_run() -> None:
    rows = [DownloadOutcome(n, "wrong_host", "cdn.example") for n in range(19)]
    with pytest.raises(SengaError) as caught:
        check_failed_share(DownloadResult([*rows, DownloadOutcome(99, "ok")]), DownloadOptions())
    assert str(caught.value) == (
        "19 of 20 pictures are on hosts that are not allowed (cdn.example). If you trust them, "
        "add them to [download] hosts. Those downloaded so far are kept."
    )


@pytest.mark.parametrize(
    ("code", "transient"),
    [
        ("ok", False),
        ("timeout", True),
        ("incomplete", True),
        ("truncated", False),
        ("html", False),
        ("http_404", False),
        ("http_408", True),
        ("http_429", True),
        ("http_499", False),
        ("http_500", True),
        ("http_599", True),
        ("too_slow", True),
        ("shut_out", True),
        ("host_unavailable", True),
        ("polyglot", False),
        ("private_address", False),
    ],
)
def test_transient_codes(code: str, transient: bool) -> None:
    assert is_transient(code) is transient


@given(
    st.lists(
        st.builds(
            DownloadOutcome,
            st.integers(0, 2**62),
            st.sampled_from(["ok", "http_404", "timeout"]),
            st.text(st.characters(exclude_categories=["Cs"])),
            url=st.text(st.characters(exclude_categories=["Cs"])),
            status=st.none() | st.integers(100, 999),
            bytes=st.integers(0, 2**40),
            sha256=st.sampled_from(["", "0" * 64]),
        ),
        unique_by=lambda row: row.id,
        max_size=9,
    )
)
def test_outcomes_round_trip(
    tmp_path_factory: pytest.TempPathFactory, rows: list[DownloadOutcome]
) -> None:
    path = tmp_path_factory.getbasetemp() / "outcomes"
    write_outcomes(rows, path)
    assert list(read_outcomes(path).values()) == rows


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("threads", 0),
        ("threads", 9999),
        ("retries", -1),
        ("connect_timeout", 0.0),
        ("first_byte_timeout", float("nan")),
        ("connections_per_host", 0),
        ("requests_per_second", -1.0),
        ("min_speed", float("inf")),
        ("host_timeout", 0.0),
        ("hosts", ("http://a.org",)),
        ("hosts", ("A.org",)),
        ("hosts", ("*.a.org",)),
        ("total_timeout", -1.0),
        ("total_timeout", float("inf")),
        ("max_bytes", 0),
        ("max_failed_share", 1.5),
        ("contact", "me\r\nX-Evil: 1"),
        ("contact", "私@example.org"),
        ("contact", "me) (you"),
    ],
)
def test_invalid_options_are_named(name: str, value: object) -> None:
    with pytest.raises(ConfigError, match=rf"^\[download\] {name} = .*expected"):
        replace(DownloadOptions(), **{name: value})  # type: ignore[arg-type]


def test_every_code_is_documented() -> None:
    text = (Path(__file__).parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
    for code, meaning in MEANINGS.items():
        retried = "yes" if is_transient(code) else ""
        assert f"| `{code}` | {meaning} | {retried} |" in text


def test_codes_are_a_closed_set() -> None:
    assert all(is_code(code) for code in (*MEANINGS, "http_404", "http_599"))
    assert not any(is_code(code) for code in ("", "http_4o4", "http_99", "http_4040", "gone"))
