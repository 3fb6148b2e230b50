"""What every stage does with its result."""

import logging

import pytest

from pipeline.manifest import Manifest
from sketch_models.errors import SengaError
from tasks import stage
from tasks.stage import StageResult, log_summary


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
