"""The progress line says how far, how fast and how long."""

import pytest

from pipeline.progress import Meter, Progress, clock


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (7.4, "0:07"), (750, "12:30"), (11_100, "3:05:00"), (-1, "0:00")],
)
def test_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_a_plain_line_counts_what_other_shards_did(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    shares: list[float] = []
    with Meter(
        "sketch", Progress(total=100, done=20, seconds=80), on_fraction=shares.append
    ) as meter:
        meter.advance(4)
        now[0] = 20.0
        meter.advance(6)
    assert capsys.readouterr().err == "sketch    30/100 pictures, 0.3/s, 3:53 left\n"
    assert shares == [0.3]


def test_nothing_is_said_of_what_is_quick(capsys: pytest.CaptureFixture[str]) -> None:
    with Meter("split", Progress(total=3)) as meter:
        meter.advance(3)
    assert capsys.readouterr().err == ""
