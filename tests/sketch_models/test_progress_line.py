"""Progress: a bar on a terminal, plain lines elsewhere, no output for short tasks."""

import io
import sys

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


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def use_terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Make the standard error a terminal; in the test itself, since pytest replaces it before."""
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    for name in ("TTY_COMPATIBLE", "FORCE_COLOR"):  # by which rich takes it for none
        monkeypatch.delenv(name, raising=False)
    return terminal


def test_bar_on_a_terminal_is_erased_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = use_terminal(monkeypatch)
    with ProgressLine("fetch") as line:
        line.update(30, "30 of 100", total=100)
        line.update(60, "60 of 100")
    written = terminal.getvalue()
    assert "60 of 100" in written
    assert written.endswith("\x1b[2K")  # the line is erased


def test_bar_is_not_drawn_if_not_live(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = use_terminal(monkeypatch)
    with ProgressLine("fetch", 100, live=False) as line:
        line.update(30, "30 of 100")
    assert terminal.getvalue() == ""


def test_notebook_that_wants_colours_gets_plain_lines(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the kernel of Jupyter sets them for itself and its child processes."""
    for name, value in (("FORCE_COLOR", "1"), ("CLICOLOR_FORCE", "1"), ("TERM", "xterm-color")):
        monkeypatch.setenv(name, value)
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    with ProgressLine("sketch", 100) as line:
        for second in range(12):
            now[0] = float(second)
            line.update(second, f"{second} of 100")
    assert capsys.readouterr().err == "sketch    11 of 100\n"
