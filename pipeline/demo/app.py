"""The demo's addresses: a Flask application around loaded models."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Sequence

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from pipeline.demo import endpoints, fields, guard, samples
from pipeline.demo.api_error import Problem
from pipeline.demo.assets import asset, lasting
from pipeline.demo.endpoints import Ask, Body
from pipeline.demo.fields import Fields
from pipeline.demo.models import Studio
from pipeline.demo.options import DemoOptions
from pipeline.demo.pictures import Limits
from pipeline.demo.worker import Answer, Job, Worker, still_here

_LOG = logging.getLogger(__name__)
_PAGE = re.compile(r"[\w.-]{1,64}")


def create_app(studio: Studio, worker: Worker, options: DemoOptions) -> Flask:
    """The demo's application.

    Args:
        studio: the models.
        worker: has the studio's models at work.
        options: host and limits.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = options.max_body
    app.url_map.merge_slashes = False  # no redirects: every address is there, or it is not
    app.before_request(lambda: guard.check(request, options.host))
    app.after_request(_sealed)
    app.register_error_handler(Problem, _refused)
    app.register_error_handler(HTTPException, lambda error: _refused(_said(error, options)))
    app.register_error_handler(Exception, _failed)
    _serve_page(app)
    _serve_state(app, studio, worker, options)
    limits = Limits(pixels=options.max_pixels, smallest_side=options.smallest_side)
    _serve_models(app, studio, worker, limits)
    return app


def _serve_page(app: Flask) -> None:
    """GET: the page, its files, and the samples."""

    @app.get("/")
    def index() -> Response:
        return asset("index.html")

    @app.get("/static/<path:name>")
    def static(name: str) -> Response:
        return asset(name)

    @app.get("/api/samples/<int:post_id>/<kind>.png")
    def sample(post_id: int, kind: str) -> Response:
        if post_id not in samples.IDS or kind not in ("line", "color"):
            raise Problem("not_found", "There is no such sample, expected one of /api/models.")
        drawn = samples.sample(post_id)
        return lasting(drawn.line if kind == "line" else drawn.color, "image/png")


def _serve_state(app: Flask, studio: Studio, worker: Worker, options: DemoOptions) -> None:
    """GET: how the demo is, and what it can do."""

    @app.get("/healthz")
    def health() -> tuple[Response, int]:
        well = studio.colorizer is not None and worker.alive
        device = studio.describe()["colorizer"]["device"]
        status = "ok" if well else "degraded"
        state = jsonify(status=status, queue=worker.waiting(), device=device)
        return state, 200 if well else 503

    @app.get("/api/models")
    def models() -> Response:
        limits = {
            "body_bytes": options.max_body,
            "pixels": options.max_pixels,
            "smallest_side": options.smallest_side,
            "queue": options.queue,
            "variations": endpoints.MOST_VARIATIONS,
            "shift": endpoints.MOST_SHIFT,
        }
        return jsonify(studio.describe() | {"samples": samples.describe(), "limits": limits})


def _serve_models(app: Flask, studio: Studio, worker: Worker, limits: Limits) -> None:
    """POST: pictures in, pictures out."""

    def work(answer: Callable[[Fields, Studio, Ask], Body], page: str | None = None) -> Response:
        gone = request.environ.get("waitress.client_disconnected", still_here)

        def ask(jobs: Sequence[Job]) -> Answer:
            return worker.ask(jobs, page=page, gone=gone)

        return jsonify(answer(fields.read(request, limits), studio, ask))

    @app.post("/api/sketch")
    def sketch() -> Response:
        return work(endpoints.sketch)

    @app.post("/api/simplify")
    def simplify() -> Response:
        return work(endpoints.simplify)

    @app.post("/api/colorize")
    def colorize() -> Response:
        return work(endpoints.colorize, _page())


def _page() -> str | None:
    """The random name of the page that asks; its newer requests replace older ones."""
    name = request.headers.get("X-Senga-Client")
    if name is None or _PAGE.fullmatch(name):
        return name
    raise Problem(
        "bad_field", "X-Senga-Client is no name of a page, expected up to 64 letters and digits."
    )


def _sealed(response: Response) -> Response:
    response.headers.update(guard.HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _refused(problem: Problem) -> tuple[Response, int, dict[str, str]]:
    return jsonify(problem.body), problem.status, problem.headers


def _said(error: HTTPException, options: DemoOptions) -> Problem:
    """What Flask refused, in the demo's words."""
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        said = f"{request.method[:20]} does not work here, expected {allowed}."
        return Problem("wrong_method", said, {"Allow": allowed})
    if error.code == 404:
        return Problem("not_found", "There is nothing at this address; start at /.")
    if error.code == 413:
        return Problem(
            "body_too_large",
            f"The request is too large, expected at most {options.max_body:,} bytes; send a "
            "smaller picture.",
        )
    return Problem("bad_request", "The request cannot be understood, expected proper HTTP.")


def _failed(error: Exception) -> tuple[Response, int, dict[str, str]]:
    """The terminal learns where, but not the error's words: they may quote what was sent."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    _LOG.error("%s in %s\n%s", type(error).__name__, request.endpoint, frames)
    problem = Problem("failed", "The demo failed; its terminal says where. Please report it.")
    return _refused(problem)
