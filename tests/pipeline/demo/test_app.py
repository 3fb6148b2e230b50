"""The demo's addresses, with fake models."""

import base64
import io
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from numpy.typing import NDArray
from PIL import Image

from pipeline.colorizer.letterbox import Letterbox
from pipeline.demo import endpoints, pictures, samples
from pipeline.demo.api_error import CODES, ApiError
from pipeline.demo.app import create_app
from pipeline.demo.guard import SECURITY_HEADERS
from pipeline.demo.latent import make_z
from pipeline.demo.options import DemoOptions
from pipeline.demo.worker import ColorizeJob, JobResults, SimplifyJob, SketchJob
from pipeline.picture import decode, encode_png
from sketch_models.styles import ink_to_sketch

SIZE, LATENT_DIM = 64, 4


class FakeBackend:
    """A fake of models and worker that returns its inputs and records the calls."""

    size, latent_dim = SIZE, LATENT_DIM

    def __init__(self) -> None:
        self.colorizer: object | None = object()
        self.is_alive = True
        self.jobs: list[Any] = []
        self.client_ids: list[str | None] = []
        self.disconnected: list[bool] = []
        self.failure: Exception | None = None

    def describe(self) -> dict[str, Any]:
        colorizer = {"available": self.colorizer is not None, "device": "cpu"}
        return {"colorizer": colorizer, "sketch": [], "simplify": [], "styles": ["pured"]}

    def require_colorizer(self) -> None:
        if self.colorizer is None:
            raise ApiError("colorizer_unavailable", "There is no colorizer.")

    def require_model(self, stage: str, name: str) -> None:  # noqa: ARG002
        if name == "simo_serra":
            raise ApiError("model_unavailable", "It is not loaded.")

    def queue_size(self) -> int:
        return 3

    def run(
        self, jobs: Sequence[Any], *, client_id: str | None, is_disconnected: Callable[[], bool]
    ) -> JobResults:
        self.jobs = list(jobs)
        self.disconnected.append(is_disconnected())
        self.client_ids.append(client_id)
        if self.failure:
            raise self.failure
        return JobResults(outputs=[_output(job) for job in jobs], waited=0.25, seconds=0.5)


def _output(job: object) -> NDArray[Any]:
    if isinstance(job, ColorizeJob):
        color = np.repeat(job.line[..., None], 3, axis=2)
        if job.hints is not None:
            color[job.hints.mask] = job.hints.color[job.hints.mask]
        return color
    if isinstance(job, SketchJob):
        return 1 - job.picture.mean(axis=2, dtype=np.float32) / 255
    assert isinstance(job, SimplifyJob)
    return 255 - job.sketch


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def client(backend: FakeBackend) -> FlaskClient:
    options = DemoOptions(max_body=300_000, max_pixels=100_000)
    return create_app(backend, backend, options).test_client()  # type: ignore[arg-type]


RNG = np.random.default_rng(0)
LINE = np.repeat(np.repeat(RNG.integers(0, 256, (10, 8), dtype=np.uint8), 8, 0), 8, 1)  # 80 x 64


def encode(picture: NDArray[np.uint8]) -> str:
    return base64.b64encode(encode_png(picture)).decode()


def pixels(base64_png: str) -> NDArray[np.uint8]:
    return decode(base64.b64decode(base64_png))


def hints(height: int, width: int) -> str:
    """Return hints that are red in the upper half."""
    picture = np.zeros((height, width, 4), np.uint8)
    picture[: height // 2] = [255, 0, 0, 255]
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def error_code(response: Any) -> str:
    """Check the form of an error response; return its code."""
    assert response.content_type == "application/json"
    error = response.get_json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"].endswith(".")
    assert response.status_code == CODES[error["code"]][0]
    return str(error["code"])


def test_every_response_has_the_security_headers(client: FlaskClient, backend: FakeBackend) -> None:
    backend.failure = ValueError("x")
    addresses = ["/", "/healthz", "/api/models", "/nowhere", "/static/nothing.js", "/api/sketch"]
    responses = [client.get(address) for address in addresses]
    responses.append(client.get("/healthz", headers={"Host": "evil.example"}))
    responses.append(client.post("/api/colorize", json={"line": encode(LINE)}))
    for response in responses:
        assert SECURITY_HEADERS.items() <= dict(response.headers).items()
        assert "Access-Control-Allow-Origin" not in response.headers
        assert response.headers["Cache-Control"] in ("no-store", "no-cache")


def test_health_is_degraded_without_worker_or_colorizer(
    client: FlaskClient, backend: FakeBackend
) -> None:
    response = client.get("/healthz")
    assert response.get_json() == {"status": "ok", "queue": 3, "device": "cpu"}
    backend.is_alive = False
    response = client.get("/healthz")
    assert (response.status_code, response.get_json()["status"]) == (503, "degraded")
    backend.is_alive, backend.colorizer = True, None
    assert client.get("/healthz").status_code == 503


def test_models_samples_and_limits_are_listed(client: FlaskClient) -> None:
    listed = client.get("/api/models").get_json()
    assert set(listed) == {"colorizer", "sketch", "simplify", "styles", "samples", "limits"}
    assert listed["limits"] == {
        "body_bytes": 300_000, "pixels": 100_000, "min_side": 16, "queue": 64,
        "variations": 8, "shift": 100,
    }  # fmt: skip
    assert [sample["id"] for sample in listed["samples"]] == list(samples.NAMES)


def test_sample_is_served_with_an_etag(client: FlaskClient) -> None:
    listed = client.get("/api/models").get_json()["samples"][0]
    for name in ("line", "color", "hints"):
        response = client.get(listed[name])
        assert response.content_type == "image/png"
        assert decode(response.data).shape == (listed["height"], listed["width"], 3)
        again = client.get(listed[name], headers={"If-None-Match": response.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    assert error_code(client.get("/api/samples/1/line.png")) == "not_found"
    assert error_code(client.get(f"/api/samples/{listed['id']}/sketch.png")) == "not_found"


def test_static_files_are_served_from_their_folder_alone(
    client: FlaskClient, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.demo.assets.FOLDER", tmp_path / "static")
    assert error_code(client.get("/")) == "not_found"
    (tmp_path / "static").mkdir()
    (tmp_path / "secret.js").write_text("secret")
    for name, media_type in {
        "index.html": "text/html; charset=utf-8",
        "main.js": "text/javascript; charset=utf-8",
        "style.css": "text/css; charset=utf-8",
        "icon.svg": "image/svg+xml; charset=utf-8",
        "odd.xyz": "application/octet-stream",
    }.items():
        (tmp_path / "static" / name).write_text(name)
        response = client.get("/" if name == "index.html" else f"/static/{name}")
        assert (response.text, response.content_type) == (name, media_type)
        assert response.headers["Cache-Control"] == "no-cache"
        tag = response.headers["ETag"]
        assert client.get(f"/static/{name}", headers={"If-None-Match": tag}).status_code == 304
        (tmp_path / "static" / name).write_text("new")
        assert client.get(f"/static/{name}", headers={"If-None-Match": tag}).status_code == 200
    for path in (
        "../secret.js",
        "%2e%2e/secret.js",
        "..%5csecret.js",
        "/etc/passwd",
        ".",
        "x/y.js",
    ):
        assert error_code(client.get(f"/static/{path}")) == "not_found"


def test_line_art_is_colorized_in_a_square(client: FlaskClient, backend: FakeBackend) -> None:
    response = client.post("/api/colorize", json={"line": encode(LINE)}).get_json()
    assert (response["width"], response["height"]) == (64, 80)
    assert (response["seconds"], response["waited"]) == (0.5, 0.25)
    assert response["images"] == [response["image"]]
    assert response["seeds"] == [None]
    assert pixels(response["image"]).shape == (80, 64, 3)
    (job,) = backend.jobs
    assert job.line.shape == (SIZE, SIZE)
    assert job.line.dtype == np.uint8
    left, top, right, bottom = job.box
    assert (right - left, bottom - top) == (51, 64)
    assert (job.line[:, :left] == 255).all()
    assert (job.line[:, right:] == 255).all()
    assert (job.z == 0).all()
    assert job.hints is None


def test_square_picture_is_not_resampled(client: FlaskClient) -> None:
    square = LINE[:64]
    for size in ("line", "model"):
        response = client.post("/api/colorize", json={"line": encode(square), "size": size})
        assert (pixels(response.get_json()["image"]) == square[..., None]).all()


def test_size_model_returns_the_networks_size(client: FlaskClient) -> None:
    tall = np.full((200, 100), 255, np.uint8)
    tall[:, :10] = 0
    body = {"line": encode(tall), "size": "model"}
    response = client.post("/api/colorize", json=body).get_json()
    assert (response["width"], response["height"]) == (32, 64)
    picture = pixels(response["image"])
    assert picture.shape == (64, 32, 3)
    assert (picture[:, :3] == 0).all()  # none of the square's padding
    assert (picture[:, 4:] == 255).all()


def test_hints_reach_the_colorizer(client: FlaskClient, backend: FakeBackend) -> None:
    paper = np.full((80, 64), 255, np.uint8)
    body = {"line": encode(paper), "hints": hints(80, 64)}
    picture = pixels(client.post("/api/colorize", json=body).get_json()["image"])
    assert (picture[:38] == [255, 0, 0]).all()
    assert (picture[42:] == 255).all()
    (job,) = backend.jobs
    assert job.hints.mask.shape == (SIZE, SIZE)
    assert job.hints.mask.sum() == 51 * SIZE // 2


def test_hints_of_another_size_are_refused(client: FlaskClient) -> None:
    body = {"line": encode(LINE), "hints": hints(64, 80)}
    response = client.post("/api/colorize", json=body)
    assert error_code(response) == "size_mismatch"
    assert "80 x 64 pixels, expected 64 x 80" in response.get_json()["error"]["message"]


def test_variations_have_consecutive_seeds(client: FlaskClient, backend: FakeBackend) -> None:
    body = {"line": encode(LINE), "seed": 5, "variations": 3, "shift": 2, "dimension": 1}
    response = client.post("/api/colorize", json=body).get_json()
    assert response["seeds"] == [5, 6, 7]
    assert len(response["images"]) == len(backend.jobs) == 3
    assert response["image"] == response["images"][0]
    for seed, job in zip(response["seeds"], backend.jobs, strict=True):
        np.testing.assert_allclose(
            job.z - make_z(LATENT_DIM, seed, 0, None), [0, 2, 0, 0], atol=1e-6
        )
    response = client.post("/api/colorize", json={"line": encode(LINE), "variations": 2}).get_json()
    assert response["seeds"] == [0, 1]


def test_areas_without_a_hint_get_suggestions_if_asked(
    client: FlaskClient, backend: FakeBackend
) -> None:
    body = {"line": encode(LINE), "hints": hints(80, 64), "suggest": 4, "variations": 2}
    assert client.post("/api/colorize", json=body).status_code == 200
    first, second = (job.hints for job in backend.jobs)
    assert (first.color[first.mask] != second.color[second.mask]).any()
    client.post("/api/colorize", json=body | {"suggest": 5, "variations": 1})
    np.testing.assert_array_equal(backend.jobs[0].hints.color, second.color)
    client.post("/api/colorize", json={"line": encode(LINE), "hints": hints(80, 64)})
    given = backend.jobs[0].hints
    assert first.mask.sum() > given.mask.sum()
    np.testing.assert_array_equal(first.color[given.mask], given.color[given.mask])
    client.post("/api/colorize", json={"line": encode(LINE)})
    assert backend.jobs[0].hints is None


def test_reference_is_read_in_a_square(client: FlaskClient, backend: FakeBackend) -> None:
    picture = np.full((40, 20, 3), (200, 10, 30), np.uint8)
    body = {"line": encode(LINE), "reference": encode(picture), "variations": 2}
    assert client.post("/api/colorize", json=body).status_code == 200
    for job in backend.jobs:
        assert job.reference.shape == (SIZE, SIZE, 3)
        assert (job.reference[:, SIZE // 4 : 3 * SIZE // 4] == (200, 10, 30)).all()
        assert (job.reference[:, : SIZE // 4] == 255).all()
    client.post("/api/colorize", json={"line": encode(LINE)})
    assert backend.jobs[0].reference is None
    response = client.post("/api/colorize", json={"line": encode(LINE), "reference": "x"})
    assert error_code(response) == "not_base64"


def test_results_are_enlarged_one_by_one(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The memory of a large result is freed before the next, and few requests need it at once."""
    slots = threading.BoundedSemaphore(2)
    monkeypatch.setattr(pictures, "LARGE_SLOTS", slots)
    events: list[str] = []

    def finish(_: Letterbox, square: NDArray[np.uint8], __: object) -> NDArray[np.uint8]:
        events.append("enlarged")
        assert slots._value == 1  # this one has taken the other
        return square

    def encode_and_note(picture: NDArray[np.uint8]) -> bytes:
        events.append("encoded")
        return encode_png(picture)

    monkeypatch.setattr(Letterbox, "finish", finish)
    monkeypatch.setattr(endpoints, "encode_png", encode_and_note)
    body = {"line": encode(LINE), "variations": 3}
    assert client.post("/api/colorize", json=body).status_code == 200
    assert events == ["enlarged", "encoded"] * 3
    assert slots._value == 2


def test_form_and_json_get_the_same_response(client: FlaskClient, backend: FakeBackend) -> None:
    by_json = client.post(
        "/api/colorize",
        json={"line": encode(LINE), "hints": hints(80, 64), "seed": 5, "shift": -1.5},
    ).get_json()
    by_form = client.post(
        "/api/colorize",
        data={
            "line": (io.BytesIO(encode_png(LINE)), "line.png"),
            "hints": (io.BytesIO(base64.b64decode(hints(80, 64))), "hints.png"),
            "seed": "5",
            "shift": "-1.5",
        },
    ).get_json()
    assert by_json == by_form
    assert backend.jobs[0].z.any()


def test_sketch_has_the_chosen_style_and_size(client: FlaskClient, backend: FakeBackend) -> None:
    color = np.repeat(LINE[..., None], 3, axis=2)
    body = {"image": encode(color), "style": "enhanced", "size": 80}
    response = client.post("/api/sketch", json=body).get_json()
    assert set(response) == {"line", "width", "height", "seconds", "waited"}
    assert (response["width"], response["height"]) == (64, 80)
    ink = 1 - LINE.astype(np.float32) / 255
    assert (pixels(response["line"])[..., 0] == ink_to_sketch(ink, "enhanced")).all()
    assert backend.jobs[0].model == "tracer"
    client.post("/api/sketch", json={"image": encode(color)})
    assert backend.jobs[0].picture.shape == (768, 614, 3)


def test_simplified_lines_have_the_pictures_size(client: FlaskClient, backend: FakeBackend) -> None:
    response = client.post("/api/simplify", json={"image": encode(LINE)}).get_json()
    assert (pixels(response["line"])[..., 0] == 255 - LINE).all()
    assert backend.jobs[0].model == "inker"
    long = np.full((20, 4000), 255, np.uint8)
    response = client.post("/api/simplify", json={"image": encode(long)}).get_json()
    assert (response["width"], response["height"]) == (4000, 20)
    assert backend.jobs[0].sketch.shape == (8, 1536)


@pytest.mark.parametrize(
    ("address", "change", "code"),
    [
        ("colorize", {"seed": -1}, "bad_field"),
        ("colorize", {"seed": 2**53}, "bad_field"),
        ("colorize", {"shift": 100.5}, "bad_field"),
        ("colorize", {"dimension": LATENT_DIM}, "bad_field"),
        ("colorize", {"variations": 0}, "bad_field"),
        ("colorize", {"variations": 9}, "bad_field"),
        ("colorize", {"suggest": -1}, "bad_field"),
        ("colorize", {"suggest": "red"}, "bad_field"),
        ("colorize", {"size": "huge"}, "bad_field"),
        ("colorize", {"image": ""}, "unknown_field"),
        ("colorize", {"line": None}, "missing_field"),
        ("colorize", {"line": "?"}, "not_base64"),
        ("colorize", {"line": "aGVsbG8="}, "not_a_picture"),
        ("colorize", {"line": encode(LINE[:1, :1])}, "picture_too_small"),
        ("colorize", {"line": encode(np.full((400, 400), 255, np.uint8))}, "picture_too_large"),
        ("colorize", {"hints": encode(LINE)}, "bad_field"),
        ("sketch", {"size": 63}, "bad_field"),
        ("sketch", {"size": 1537}, "bad_field"),
        ("sketch", {"style": "none"}, "bad_field"),
        ("sketch", {"line": ""}, "unknown_field"),
        ("sketch", {"image": None}, "missing_field"),
        ("simplify", {"style": "pured"}, "unknown_field"),
        ("simplify", {"image": None}, "missing_field"),
        ("simplify", {"model": "simo_serra"}, "model_unavailable"),
        ("simplify", {"model": 3}, "bad_field"),
    ],
)
def test_wrong_fields_give_their_code(
    client: FlaskClient, backend: FakeBackend, address: str, change: dict[str, Any], code: str
) -> None:
    body = {"line" if address == "colorize" else "image": encode(LINE)} | change
    assert error_code(client.post(f"/api/{address}", json=body)) == code
    assert not backend.jobs


def test_colorize_is_refused_without_a_colorizer(client: FlaskClient, backend: FakeBackend) -> None:
    backend.colorizer = None
    response = client.post("/api/colorize", json={"line": encode(LINE)})
    assert error_code(response) == "colorizer_unavailable"
    assert client.post("/api/simplify", json={"image": encode(LINE)}).status_code == 200


@pytest.mark.parametrize("code", ["queue_full", "superseded", "shutting_down", "failed"])
def test_errors_of_the_worker_are_returned(
    client: FlaskClient, backend: FakeBackend, code: str
) -> None:
    backend.failure = ApiError(code, "Sorry.")
    response = client.post("/api/colorize", json={"line": encode(LINE)})
    assert error_code(response) == code
    assert ("Retry-After" in response.headers) == (code == "queue_full")


def test_unknown_addresses_and_methods_are_refused(client: FlaskClient) -> None:
    for address in (
        "/nowhere",
        "/api",
        "/api/",
        "/healthz/",
        "/api//models",
        "/static",
        "/static/",
        "/static/" + "a" * 5000,
        "/static/" + "a/" * 2500,
        "/static/a%00b",
        "/static/app.js/a",
        "/static/..%2fapp.py",
        "/" + "a" * 5000,
        "/api/samples/" + "a" * 5000 + "/line.png",
    ):
        assert error_code(client.get(address)) == "not_found"
    response = client.get("/api/colorize")
    assert error_code(response) == "wrong_method"
    assert response.headers["Allow"] == "OPTIONS, POST"
    assert error_code(client.delete("/healthz")) == "wrong_method"
    assert client.head("/healthz").data == b""


def test_unreadable_bodies_are_refused(client: FlaskClient) -> None:
    assert error_code(client.post("/api/sketch", data=b"{", content_type="application/json")) == (
        "wrong_json"
    )
    assert error_code(client.post("/api/sketch", data=b"x")) == "wrong_content_type"
    assert error_code(client.post("/api/sketch")) == "wrong_content_type"
    large = client.post("/api/sketch", data=b" " * 300_001, content_type="application/json")
    assert error_code(large) == "body_too_large"
    assert "300,000 bytes" in large.get_json()["error"]["message"]


def test_requests_of_other_sites_are_refused(client: FlaskClient, backend: FakeBackend) -> None:
    body = {"line": encode(LINE)}
    for headers, code in (
        ({"Host": "evil.example"}, "wrong_host"),
        ({"Origin": "https://evil.example"}, "foreign_page"),
        ({"Sec-Fetch-Site": "cross-site"}, "foreign_page"),
    ):
        assert error_code(client.post("/api/colorize", json=body, headers=headers)) == code
    assert not backend.jobs
    assert error_code(client.get("/", headers={"Host": "evil.example:7860"})) == "wrong_host"


def test_client_id_is_used_by_colorize_alone(client: FlaskClient, backend: FakeBackend) -> None:
    headers = {"X-Senga-Client": "b9-7_x.1"}
    client.post("/api/colorize", json={"line": encode(LINE)}, headers=headers)
    client.post("/api/simplify", json={"image": encode(LINE)}, headers=headers)
    assert backend.client_ids == ["b9-7_x.1", None]
    for name in ("x" * 65, "a b", "<script>"):
        headers = {"X-Senga-Client": name}
        response = client.post("/api/colorize", json={"line": encode(LINE)}, headers=headers)
        assert error_code(response) == "bad_field"


def test_worker_can_check_for_a_disconnected_client(
    client: FlaskClient, backend: FakeBackend
) -> None:
    for is_disconnected in (lambda: True, lambda: False):
        overrides = {"waitress.client_disconnected": is_disconnected}
        client.post("/api/simplify", json={"image": encode(LINE)}, environ_overrides=overrides)
    client.post("/api/simplify", json={"image": encode(LINE)})
    assert backend.disconnected == [True, False, False]


def test_exception_is_logged_without_the_request(
    client: FlaskClient, backend: FakeBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.failure = ValueError("the picture of the user")
    with caplog.at_level(logging.DEBUG):
        response = client.post("/api/colorize", json={"line": encode(LINE), "shift": 7.4321})
    assert error_code(response) == "failed"
    assert "picture of the user" not in response.text
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "ValueError in colorize" in record.getMessage()
    assert "endpoints.py" in record.getMessage()
    for secret in ("picture of the user", encode(LINE)[:40], "7.4321"):
        assert secret not in caplog.text
    assert client.get("/healthz").status_code == 200
