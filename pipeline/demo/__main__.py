"""The command of the web demo: `senga demo`."""

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
from pipeline.cores import share_cores
from pipeline.demo.api_error import ApiError
from pipeline.demo.memory import share_heaps
from pipeline.demo.options import DemoOptions, parse
from pipeline.demo.serve import is_public, listen, serving

if TYPE_CHECKING:
    from pipeline.demo.models import Models


def main(arguments: list[str]) -> None:
    """Run the demo until SIGINT or SIGTERM.

    Raises:
        SengaError: If the demo cannot start.
    """
    options = parse(arguments)
    _handle_signals()
    with contextlib.suppress(KeyboardInterrupt), listen(options.host, options.port) as listener:
        _run(options, listener)


def _run(options: DemoOptions, listener: socket.socket) -> None:
    share_cores()  # with the browser
    share_heaps()
    # Importing PyTorch takes seconds, so options are checked first.
    from pipeline.demo.app import create_app
    from pipeline.demo.models import Models
    from pipeline.demo.worker import Worker

    models = Models.load(options)
    worker = Worker(models, options.queue, models.max_batch)
    if models.colorizer is not None:
        with contextlib.suppress(ApiError):  # its traceback is logged
            worker.run([models.warmup_job()])
    app = create_app(models, worker, options)
    threads = options.serving_threads
    with serving(app, listener, max_body=options.max_body, threads=threads) as url:
        _print_summary(models, is_public(listener), url)
        if options.browser:
            webbrowser.open(url)
        _handle_signals()  # again: Polars replaces the SIGINT handler, and its own wakes no wait()
        try:
            threading.Event().wait()
        finally:
            worker.close()  # before the server, so that waiting requests get a response


def _print_summary(models: Models, public: bool, url: str) -> None:
    """Print which models are loaded, and where the page is."""
    description = models.describe()
    colorizer = description["colorizer"]
    device = colorizer["device"]
    if colorizer["available"]:
        network = f"{colorizer['generator']}, {colorizer['size']} px"
        count = colorizer["parameters"] / 1e6
        print(f"Colorizer: {colorizer['name']} ({network}, {count:.1f} M parameters) on {device}")
    else:
        print(f"No colorizer: {colorizer['reason']}")
    for stage, label in (("sketch", "Sketch model"), ("simplify", "Line model")):
        for model in description[stage]:
            status = f"on {device}" if model["available"] else f"not loaded: {model['reason']}"
            print(f"{label}: {model['name']}, {status}")
    if public:
        print("Everybody who can reach this machine can use the demo, and nothing is encrypted.")
    print(f"The demo is at {url} - stop it with Ctrl-C", flush=True)


def _handle_signals() -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # the first is ignored in background jobs
        signal.signal(number, signal.default_int_handler)


if __name__ == "__main__":
    status = run_main(main, sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Skip the interpreter's shutdown: it crashes while a network still runs in its thread.
    os._exit(status)
