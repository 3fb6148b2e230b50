"""Progress: a bar on a terminal, plain lines elsewhere, no output for short tasks."""

import pytest

from sketch_models.progress_line import ProgressLine


def test_plain_line_is_written_every_ten_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with ProgressLine("fetch", 100) as line:
        for second in range(25):
            now[0] = float(second)
            line.update(second, f"{second} of 100")
    assert capsys.readouterr().err == "fetch     11 of 100\nfetch     22 of 100\n"


def test_bar_on_a_terminal_is_erased_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes this for a terminal
    with ProgressLine("fetch") as line:
        line.update(30, "30 of 100", total=100)
        line.update(60, "60 of 100")
    written = capsys.readouterr().err
    assert "60 of 100" in written
    assert written.endswith("\x1b[2K")  # the line is erased


def test_bar_is_not_drawn_if_not_live(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with ProgressLine("fetch", 100, live=False) as line:
        line.update(30, "30 of 100")
    assert capsys.readouterr().err == ""
