"""The progress line: the count, the rate and the time left."""

import pytest

from pipeline.progress import Meter, Pace, Progress, format_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (7.4, "0:07"), (750, "12:30"), (11_100, "3:05:00"), (-1, "0:00")],
)
def test_durations_are_minutes_or_hours(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_line_includes_the_progress_of_other_shards(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    fractions: list[float] = []
    with Meter(
        "sketch", Progress(total=100, done=20, seconds=80), on_fraction=fractions.append
    ) as meter:
        meter.advance(4)
        now[0] = 20.0
        meter.advance(6)
    assert capsys.readouterr().err == "sketch    30/100 pictures, 0.3/s, 3:53 left\n"
    assert fractions == [0.3]


def test_short_stage_prints_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Meter("split", Progress(total=3)) as meter:
        meter.advance(3)
    assert capsys.readouterr().err == ""


def test_pace_that_a_stage_has_measured_is_shown_instead(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A training that resumes reports all images before it at once."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    pace = Pace(rate=2.5, seconds_left=80)
    with Meter("train", Progress(total=1000), unit="images", pace=lambda: pace) as meter:
        now[0] = 20.0
        meter.advance(800)
    assert capsys.readouterr().err == "train     800/1,000 images, 2.5/s, 1:20 left\n"
