"""What every stage does with its result."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest

from pipeline import store
from pipeline.manifest import Manifest
from pipeline.progress import OnProgress
from sketch_models.errors import SengaError
from tasks import config, stage
from tasks.stage import Stage, StageResult, log_summary


@pytest.mark.parametrize(
    ("kept", "unexpected", "refused"),
    [(0, 9, False), (0, 10, True), (10, 10, False), (9, 10, True), (5000, 400, False)],
)
def test_a_stage_that_mostly_fails_in_unforeseen_ways_is_not_recorded(
    kept: int, unexpected: int, refused: bool
) -> None:
    result = StageResult(kept=kept, dropped={"broken": 7, "unexpected": unexpected})
    if refused:
        with pytest.raises(SengaError, match=f"^{unexpected} pictures failed .* {kept} did not"):
            stage._refuse_defects(result, "pictures")
    else:
        stage._refuse_defects(result, "pictures")


def manifest(**dropped: int) -> Manifest:
    return Manifest(
        fingerprint="",
        inputs={},
        content="",
        kept=5,
        dropped=dropped,
        facts={},
        bytes=0,
        seconds=1.0,
        created="",
        host="",
        versions={},
    )


def test_summary_says_that_there_were_unforeseen_errors(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "senga")
    log_summary("screen", [manifest(broken=9), manifest(unexpected=2)], "pictures")
    log_summary("screen", [manifest(broken=9)], "pictures")
    first, second = (record.getMessage() for record in caplog.records)
    assert first.endswith("mostly broken; 2 by errors that Senga did not foresee: see the log")
    assert second.endswith("mostly broken")


class Copy(Stage):
    """A stage that copies a text; like others it has a version, options and something upstream."""

    stage = "copy"
    option: ClassVar[str] = "a"
    content: ClassVar[str] = "b"

    def settings(self) -> dict[str, object]:
        return {"option": self.option}

    def content_from(self) -> list[str]:
        return [self.content]

    def artefact(self) -> Path:
        return self.dataset.root / "copy" / "text.txt"

    def make(self, on_progress: OnProgress) -> StageResult:
        on_progress(1)
        with store.publish(self.artefact()) as temporary:
            temporary.write_text(self.content)
        return StageResult(kept=1)


class CopyOfCopy(Copy):
    """A stage downstream, in whose path the settings hash is."""

    def upstream(self) -> list[Stage]:
        return [new(Copy)]


def new(task_type: type[Copy]) -> Copy:
    """Return a task as another run makes it; Luigi keeps those of this one."""
    task_type.clear_instance_cache()
    return task_type()


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Copy:
    options = config.BuildOptions(data=str(tmp_path))
    monkeypatch.setitem(config._cache, config.BuildOptions, options)
    task = new(Copy)
    assert not task.complete()
    task.make_and_record()
    assert new(Copy).complete()
    return task


@pytest.mark.usefixtures("made")
def test_what_has_changed_since_it_was_made_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(CopyOfCopy, "content_from", Stage.content_from)
    monkeypatch.setattr(Copy, "content", "x")  # a file that changes while it is read
    running = new(CopyOfCopy).run()
    next(running)
    with pytest.raises(SengaError, match=r"^What Copy.* is made from has changed .* run again\.$"):
        next(running)


@pytest.mark.parametrize(("name", "value"), [("version", 2), ("option", "x"), ("content", "x")])
def test_stage_is_complete_for_the_same_version_options_and_content(
    made: Copy, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    assert made.manifest().inputs["version"] == 1
    monkeypatch.setattr(Copy, name, value)
    assert not new(Copy).complete()


def test_files_of_a_complete_stage_are_looked_at_once_until_one_is_found_damaged(
    made: Copy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of thousands of shards asks whether what is upstream is complete."""
    asked: list[Copy] = []

    def is_whole(task: Copy) -> bool:
        asked.append(task)
        return True

    monkeypatch.setattr(Copy, "is_whole", is_whole)
    task = new(Copy)
    for _ in range(3):
        assert task.complete()
        assert task.manifest().kept == 1
    assert len(asked) == 1
    made.dataset.damage_log().write_text("a file")
    assert task.complete()
    assert len(asked) == 2
    made.manifest_path().unlink()
    assert not task.complete()


@pytest.mark.parametrize(("name", "value"), [("version", 2), ("option", "x")])
def test_path_of_what_is_downstream_depends_on_version_and_options(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    before = [new(task).settings_hash() for task in (Copy, CopyOfCopy)]
    monkeypatch.setattr(CopyOfCopy, name, getattr(Copy, name))  # as it is
    monkeypatch.setattr(Copy, name, value)
    after = [new(task).settings_hash() for task in (Copy, CopyOfCopy)]
    assert len({*before, *after}) == 4


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("longer")])
def test_stage_is_complete_while_its_files_are_there_with_their_sizes(
    made: Copy, damage: Callable[[Path], object]
) -> None:
    damage(made.artefact())
    assert made.manifest_path().exists()
    assert not new(Copy).complete()
    new(Copy).make_and_record()
    assert new(Copy).complete()
