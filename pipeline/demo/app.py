"""The demo's Flask application: its addresses, around loaded models."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Callable, Sequence

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from pipeline.demo import endpoints, guard, samples
from pipeline.demo.api_error import ApiError, bad_request, body_too_large, internal_error
from pipeline.demo.assets import asset, etag_response
from pipeline.demo.endpoints import JsonObject, RunJobs
from pipeline.demo.fields import Fields, read_fields
from pipeline.demo.models import Models
from pipeline.demo.options import DemoOptions
from pipeline.demo.pictures import PictureLimits
from pipeline.demo.worker import Job, JobResults, Worker, never_disconnected

_LOG = logging.getLogger(__name__)
_CLIENT_ID = re.compile(r"[\w.-]{1,64}")


def create_app(models: Models, worker: Worker, options: DemoOptions) -> Flask:
    """Return the demo's application.

    Args:
        models: the models, loaded or not.
        worker: the worker that runs the jobs of these models.
        options: host and limits.
    """
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = options.max_body
    app.url_map.merge_slashes = False  # no redirects: an address exists as it stands, or not
    app.before_request(lambda: guard.check_origin(request, options.host))
    app.after_request(_add_headers)
    app.register_error_handler(ApiError, _error_response)
    app.register_error_handler(
        HTTPException, lambda error: _error_response(_from_http_exception(error, options))
    )
    app.register_error_handler(Exception, _handle_exception)
    _add_page_routes(app)
    _add_status_routes(app, models, worker, options)
    limits = PictureLimits(max_pixels=options.max_pixels, min_side=options.min_side)
    _add_model_routes(app, models, worker, limits)
    return app


def _add_page_routes(app: Flask) -> None:
    """Add the GET routes of the page, its files, and the samples."""

    @app.get("/")
    def index() -> Response:
        return asset("index.html")

    @app.get("/static/<path:name>")
    def static(name: str) -> Response:
        return asset(name)

    @app.get("/api/samples/<sample_name>/<picture>.png")
    def sample(sample_name: str, picture: str) -> Response:
        if sample_name not in samples.NAMES or picture not in samples.PICTURES:
            raise ApiError("not_found", "There is no such sample. /api/models lists them.")
        drawing = samples.load_sample(sample_name)
        return etag_response(getattr(drawing, picture), "image/png")


def _add_status_routes(app: Flask, models: Models, worker: Worker, options: DemoOptions) -> None:
    """Add the GET routes that report the demo's health, models and limits."""

    @app.get("/healthz")
    def health() -> tuple[Response, int]:
        healthy = models.colorizer is not None and worker.is_alive
        device = models.describe()["colorizer"]["device"]
        status = "ok" if healthy else "degraded"
        state = jsonify(status=status, queue=worker.queue_size(), device=device)
        return state, 200 if healthy else 503

    @app.get("/api/models")
    def describe_models() -> Response:
        limits = {
            "body_bytes": options.max_body,
            "pixels": options.max_pixels,
            "min_side": options.min_side,
            "queue": options.queue,
            "variations": endpoints.MAX_VARIATIONS,
            "shift": endpoints.MAX_SHIFT,
        }
        return jsonify(models.describe() | {"samples": samples.list_samples(), "limits": limits})


def _add_model_routes(app: Flask, models: Models, worker: Worker, limits: PictureLimits) -> None:
    """Add the POST routes, which take pictures and return pictures."""

    def respond(
        endpoint: Callable[[Fields, Models, RunJobs], JsonObject], client_id: str | None = None
    ) -> Response:
        is_disconnected = request.environ.get("waitress.client_disconnected", never_disconnected)

        def run_jobs(jobs: Sequence[Job]) -> JobResults:
            return worker.run(jobs, client_id=client_id, is_disconnected=is_disconnected)

        return jsonify(endpoint(read_fields(request, limits), models, run_jobs))

    @app.post("/api/sketch")
    def sketch() -> Response:
        return respond(endpoints.sketch)

    @app.post("/api/simplify")
    def simplify() -> Response:
        return respond(endpoints.simplify)

    @app.post("/api/colorize")
    def colorize() -> Response:
        return respond(endpoints.colorize, _client_id())


def _client_id() -> str | None:
    """Return the random id of the page that sent the request, or None if it sent none."""
    client_id = request.headers.get("X-Senga-Client")
    if client_id is None or _CLIENT_ID.fullmatch(client_id):
        return client_id
    raise ApiError(
        "bad_field",
        "The header X-Senga-Client is not a valid id. Use up to 64 letters and digits.",
    )


def _add_headers(response: Response) -> Response:
    response.headers.update(guard.SECURITY_HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


def _error_response(error: ApiError) -> tuple[Response, int, dict[str, str]]:
    return jsonify(error.body), error.status, error.headers


def _from_http_exception(error: HTTPException, options: DemoOptions) -> ApiError:
    """Return Flask's own error as one of the API's."""
    if isinstance(error, MethodNotAllowed):
        allowed = ", ".join(sorted(error.valid_methods or ()))
        message = f"{request.method[:20]} is not allowed at this address. Use {allowed}."
        return ApiError("wrong_method", message, {"Allow": allowed})
    if error.code == 404:
        return ApiError("not_found", "There is nothing at this address. The page is at /.")
    if error.code == 413:
        return body_too_large(options.max_body)
    return bad_request()


def _handle_exception(error: Exception) -> tuple[Response, int, dict[str, str]]:
    """Log the traceback, but not the error's message, which may quote the request."""
    frames = "".join(traceback.format_tb(error.__traceback__))
    _LOG.error("%s in %s\n%s", type(error).__name__, request.endpoint, frames)
    return _error_response(internal_error())
