"""Parts of a stage are disjoint and whole, and what they lack is a sentence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.posts.options import MetadataOptions
from sketch_models.errors import ConfigError, SengaError
from tasks import DownloadShard, FilterPosts, MakeShards, SimplifyShard, config
from tasks.stage import Stage


def prepare(
    patch: pytest.MonkeyPatch, shards: list[int], *, filtered: bool = True, downloaded: bool = True
) -> None:
    facts: Mapping[int, dict[str, object]] = {number: {"rows": 1} for number in shards}
    patch.setattr(FilterPosts, "shards", lambda _: facts)
    patch.setattr(FilterPosts, "complete", lambda _: filtered)
    patch.setattr(DownloadShard, "complete", lambda _: downloaded)


@given(
    shards=st.sets(st.integers(0, 99), max_size=20),
    parts=st.integers(1, 25),
    stage=st.sampled_from(["download", "screen", "sketch", "simplify"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_every_shard_is_in_one_part(
    monkeypatch: pytest.MonkeyPatch, shards: set[int], parts: int, stage: str
) -> None:
    prepare(monkeypatch, list(shards))
    made = [
        MakeShards(stage=stage, part=f"{part}/{parts}").shards() for part in range(1, parts + 1)
    ]
    numbers = [[task.shard for task in tasks] for tasks in made]
    assert sorted(number for part in numbers for number in part) == sorted(shards)
    assert max(map(len, numbers)) - min(map(len, numbers)) <= 1
    assert {task.stage for tasks in made for task in tasks} <= {stage, "copy"}


@pytest.mark.parametrize("part", ["0/3", "4/3", "3", "1/0", "a/b", "-1/3", "1/3/4", ""])
def test_part_that_is_none_is_one_sentence(part: str) -> None:
    with pytest.raises(ConfigError, match=r"^--part .*such as 3/16\.$"):
        MakeShards(stage="sketch", part=part)


def test_stage_without_shards_is_one_sentence() -> None:
    with pytest.raises(ConfigError, match="expected one of download, screen, sketch, simplify"):
        MakeShards(stage="pack")


def test_what_all_parts_need_is_made_before(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch, [1, 2], filtered=False)
    task = MakeShards(stage="screen", part="1/2")
    assert not task.complete()
    assert task.requires() == []
    with pytest.raises(SengaError, match=r"Run senga FilterPosts first, once\."):
        task.process_resources()


def test_posts_of_a_board_are_the_same_for_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch, [1, 2])
    task = MakeShards(stage="screen")
    options = MetadataOptions(source="api")
    monkeypatch.setitem(config._cache, MetadataOptions, options)
    with pytest.raises(SengaError, match=r"Set \[metadata\] new_posts = false for the parts"):
        task.process_resources()
    monkeypatch.setitem(config._cache, MetadataOptions, replace(options, new_posts=False))
    assert len(task.shards()) == 2
    assert task.requires() == task.shards()


def test_parts_download_nothing_but_for_the_stage_that_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prepare(monkeypatch, [1, 2, 3], downloaded=False)
    task = MakeShards(stage="simplify", part="1/2")
    assert task.requires() == []
    with pytest.raises(SengaError, match=r"2 of the 2 shards .* MakeShards --stage download"):
        task.process_resources()
    assert len(MakeShards(stage="download", part="1/2").requires()) == 2


def test_pictures_on_this_machine_are_copied_by_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch, [1, 2, 3], downloaded=False)
    monkeypatch.setattr(DownloadShard, "shared_resources", lambda _: {})
    required = MakeShards(stage="simplify", part="2/2").requires()
    assert [task.shard for task in required if isinstance(task, SimplifyShard)] == [2]
    assert all(not isinstance(task, Stage) or task.stage == "simplify" for task in required)
