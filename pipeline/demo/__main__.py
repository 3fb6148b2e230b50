"""Opens the web demo: `python -m pipeline.demo`."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import webbrowser
from typing import TYPE_CHECKING

from pipeline.child_process import run_main
from pipeline.demo.options import DemoOptions, parse
from pipeline.demo.problem import Problem
from pipeline.demo.serve import is_public, listen, serving

if TYPE_CHECKING:
    from pipeline.demo.studio import Studio


def main(arguments: list[str]) -> None:
    """The command; returns when it is told to end.

    Raises:
        SengaError, OptionError: where the demo cannot start.
    """
    options = parse(arguments)
    _heed_signals()
    with contextlib.suppress(KeyboardInterrupt), listen(options.host, options.port) as listener:
        _run(options, listener)


def _run(options: DemoOptions, listener: socket.socket) -> None:
    # Threads that wait for work shall sleep: by default they spin, and a browser on the same cores
    # makes paintings take several times as long. It is read when PyTorch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # PyTorch takes seconds to load: what can be wrong before has been said by now.
    from pipeline.demo.app import create_app
    from pipeline.demo.studio import Studio
    from pipeline.demo.worker import Worker

    studio = Studio.load(options)
    worker = Worker(studio, options.queue, studio.at_once)
    if studio.colorizer is not None:
        with contextlib.suppress(Problem):  # the terminal has its traceback
            worker.ask([studio.blank()])
    app = create_app(studio, worker, options)
    threads = options.serving_threads
    with serving(app, listener, max_body=options.max_body, threads=threads) as address:
        _say(studio, listener, address)
        if options.browser:
            webbrowser.open(address)
        _heed_signals()  # again: Polars takes SIGINT over, and does not wake who waits
        try:
            threading.Event().wait()
        finally:
            worker.close()  # before the server, so that those who wait are told


def _say(studio: Studio, listener: socket.socket, address: str) -> None:
    """Tells the terminal what was loaded, and where the page is."""
    described = studio.describe()
    colorizer = described["colorizer"]
    device = colorizer["device"]
    if colorizer["available"]:
        what = f"{colorizer['generator']}, {colorizer['size']} px"
        count = colorizer["parameters"] / 1e6
        print(f"Colorizer: {colorizer['name']} ({what}, {count:.1f} M parameters) on {device}")
    else:
        print(f"No colorizer: {colorizer['reason']}")
    for kind in ("sketch", "simplify"):
        for model in described[kind]:
            said = f"on {device}" if model["available"] else f"not loaded: {model['reason']}"
            print(f"To {kind}: {model['name']}, {said}")
    if is_public(listener):
        print("Everybody who can reach this machine can use the demo, and nothing is encrypted.")
    print(f"The demo is at {address} - stop it with Ctrl-C", flush=True)


def _heed_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # the first is ignored in background jobs
        signal.signal(number, signal.default_int_handler)


if __name__ == "__main__":
    status = run_main(main, sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # At once: a network that is still at work would bring the interpreter's own end down.
    os._exit(status)
