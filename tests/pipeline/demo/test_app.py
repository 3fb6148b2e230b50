"""The demo's addresses, with models that only pretend."""

import base64
import io
import logging
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient
from numpy.typing import NDArray
from PIL import Image

from pipeline.demo import samples
from pipeline.demo.app import create_app
from pipeline.demo.guard import HEADERS
from pipeline.demo.latent import z_of
from pipeline.demo.options import DemoOptions
from pipeline.demo.problem import CODES, Problem
from pipeline.demo.worker import Answer, PaintJob, SimplifyJob, SketchJob
from pipeline.picture import decode, encode_png
from sketch_models.styles import ink_to_sketch

SIZE, LATENT = 64, 4


class Pretended:
    """A studio and a worker: paints what it sees, and remembers what it was asked."""

    size, latent = SIZE, LATENT

    def __init__(self) -> None:
        self.colorizer: object | None = object()
        self.alive = True
        self.jobs: list[Any] = []
        self.pages: list[str | None] = []
        self.gone: list[bool] = []
        self.failure: Exception | None = None

    def describe(self) -> dict[str, Any]:
        colorizer = {"available": self.colorizer is not None, "device": "cpu"}
        return {"colorizer": colorizer, "sketch": [], "simplify": [], "styles": ["pured"]}

    def require(self, kind: str, model: str = "") -> None:
        if kind == "colorizer" and self.colorizer is None:
            raise Problem("colorizer_unavailable", "There is no colorizer.")
        if model == "simo_serra":
            raise Problem("model_unavailable", "It is not loaded.")

    def waiting(self) -> int:
        return 3

    def ask(
        self, jobs: Sequence[Any], *, page: str | None = None, gone: Callable[[], bool]
    ) -> Answer:
        self.jobs, self.gone = list(jobs), [*self.gone, gone()]
        self.pages.append(page)
        if self.failure:
            raise self.failure
        return Answer(results=[_made(job) for job in jobs], waited=0.25, seconds=0.5)


def _made(job: object) -> NDArray[Any]:
    if isinstance(job, PaintJob):
        color = np.repeat(job.line[..., None], 3, axis=2)
        if job.hints is not None:
            color[job.hints.mask] = job.hints.color[job.hints.mask]
        return color
    if isinstance(job, SketchJob):
        return 1 - job.picture.mean(axis=2, dtype=np.float32) / 255
    assert isinstance(job, SimplifyJob)
    return 255 - job.sketch


@pytest.fixture
def studio() -> Pretended:
    return Pretended()


@pytest.fixture
def client(studio: Pretended) -> FlaskClient:
    options = DemoOptions(max_body=300_000, max_pixels=100_000)
    return create_app(studio, studio, options).test_client()  # type: ignore[arg-type]


RNG = np.random.default_rng(0)
LINE = np.repeat(np.repeat(RNG.integers(0, 256, (10, 8), dtype=np.uint8), 8, 0), 8, 1)  # 80 x 64


def text(picture: NDArray[np.uint8]) -> str:
    return base64.b64encode(encode_png(picture)).decode()


def pixels(said: str) -> NDArray[np.uint8]:
    return decode(base64.b64decode(said))


def hints(height: int, width: int) -> str:
    """Red in the upper half."""
    painted = np.zeros((height, width, 4), np.uint8)
    painted[: height // 2] = [255, 0, 0, 255]
    buffer = io.BytesIO()
    Image.fromarray(painted).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def refused(response: Any) -> str:
    """The code of an answer that is an error, as every error is."""
    assert response.content_type == "application/json"
    error = response.get_json()["error"]
    assert set(error) == {"code", "message"}
    assert error["message"].endswith(".")
    assert response.status_code == CODES[error["code"]][0]
    return str(error["code"])


def test_every_answer_is_sealed(client: FlaskClient, studio: Pretended) -> None:
    studio.failure = ValueError("x")
    addresses = ["/", "/healthz", "/api/models", "/nowhere", "/static/nothing.js", "/api/sketch"]
    answers = [client.get(address) for address in addresses]
    answers.append(client.get("/healthz", headers={"Host": "evil.example"}))
    answers.append(client.post("/api/colorize", json={"line": text(LINE)}))
    for answer in answers:
        assert HEADERS.items() <= dict(answer.headers).items()
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Cache-Control"] in ("no-store", "no-cache")


def test_health(client: FlaskClient, studio: Pretended) -> None:
    answer = client.get("/healthz")
    assert answer.get_json() == {"status": "ok", "queue": 3, "device": "cpu"}
    studio.alive = False
    answer = client.get("/healthz")
    assert (answer.status_code, answer.get_json()["status"]) == (503, "degraded")
    studio.alive, studio.colorizer = True, None
    assert client.get("/healthz").status_code == 503


def test_what_the_page_must_know(client: FlaskClient) -> None:
    said = client.get("/api/models").get_json()
    assert set(said) == {"colorizer", "sketch", "simplify", "styles", "samples", "limits"}
    assert said["limits"] == {
        "body_bytes": 300_000, "pixels": 100_000, "smallest_side": 16, "queue": 64,
        "variations": 8, "shift": 100,
    }  # fmt: skip
    assert [sample["id"] for sample in said["samples"]] == list(samples.IDS)


def test_a_sample(client: FlaskClient) -> None:
    said = client.get("/api/models").get_json()["samples"][0]
    for kind in ("line", "color"):
        answer = client.get(said[kind])
        assert answer.content_type == "image/png"
        assert decode(answer.data).shape == (said["height"], said["width"], 3)
        again = client.get(said[kind], headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")
    assert refused(client.get("/api/samples/1/line.png")) == "not_found"
    assert refused(client.get(f"/api/samples/{said['id']}/hints.png")) == "not_found"


def test_the_page_and_its_files(
    client: FlaskClient, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.demo.assets.FOLDER", tmp_path / "static")
    assert refused(client.get("/")) == "not_found"
    (tmp_path / "static").mkdir()
    (tmp_path / "secret.js").write_text("secret")
    for name, kind in {
        "index.html": "text/html; charset=utf-8",
        "main.js": "text/javascript; charset=utf-8",
        "style.css": "text/css; charset=utf-8",
        "icon.svg": "image/svg+xml; charset=utf-8",
        "odd.xyz": "application/octet-stream",
    }.items():
        (tmp_path / "static" / name).write_text(name)
        answer = client.get("/" if name == "index.html" else f"/static/{name}")
        assert (answer.text, answer.content_type) == (name, kind)
        assert answer.headers["Cache-Control"] == "no-cache"
        tag = answer.headers["ETag"]
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
        assert refused(client.get(f"/static/{path}")) == "not_found"


def test_a_painting(client: FlaskClient, studio: Pretended) -> None:
    answer = client.post("/api/colorize", json={"line": text(LINE)}).get_json()
    assert (answer["width"], answer["height"]) == (64, 80)
    assert (answer["seconds"], answer["waited"]) == (0.5, 0.25)
    assert answer["images"] == [answer["image"]]
    assert answer["seeds"] == [None]
    assert pixels(answer["image"]).shape == (80, 64, 3)
    (job,) = studio.jobs
    assert job.line.shape == (SIZE, SIZE)
    assert job.line.dtype == np.uint8
    assert (job.line[:, :6] == 255).all()  # 51 of 64 columns are the drawing
    assert (job.z == 0).all()
    assert job.hints is None


def test_a_painting_of_a_square_comes_back_to_the_pixel(client: FlaskClient) -> None:
    square = LINE[:64]
    for size in ("line", "model"):
        answer = client.post("/api/colorize", json={"line": text(square), "size": size})
        assert (pixels(answer.get_json()["image"]) == square[..., None]).all()


def test_the_networks_own_size(client: FlaskClient) -> None:
    tall = np.full((200, 100), 255, np.uint8)
    tall[:, :10] = 0
    body = {"line": text(tall), "size": "model"}
    answer = client.post("/api/colorize", json=body).get_json()
    assert (answer["width"], answer["height"]) == (32, 64)
    painted = pixels(answer["image"])
    assert painted.shape == (64, 32, 3)
    assert (painted[:, :3] == 0).all()  # no paper that the square was filled up with
    assert (painted[:, 4:] == 255).all()


def test_hints_arrive(client: FlaskClient, studio: Pretended) -> None:
    paper = np.full((80, 64), 255, np.uint8)
    body = {"line": text(paper), "hints": hints(80, 64)}
    painted = pixels(client.post("/api/colorize", json=body).get_json()["image"])
    assert (painted[:38] == [255, 0, 0]).all()
    assert (painted[42:] == 255).all()
    (job,) = studio.jobs
    assert job.hints.mask.shape == (SIZE, SIZE)
    assert job.hints.mask.sum() == 51 * SIZE // 2


def test_hints_of_another_size(client: FlaskClient) -> None:
    body = {"line": text(LINE), "hints": hints(64, 80)}
    answer = client.post("/api/colorize", json=body)
    assert refused(answer) == "size_mismatch"
    assert "80 x 64 pixels, expected 64 x 80" in answer.get_json()["error"]["message"]


def test_variations(client: FlaskClient, studio: Pretended) -> None:
    body = {"line": text(LINE), "seed": 5, "variations": 3, "shift": 2, "dimension": 1}
    answer = client.post("/api/colorize", json=body).get_json()
    assert answer["seeds"] == [5, 6, 7]
    assert len(answer["images"]) == len(studio.jobs) == 3
    assert answer["image"] == answer["images"][0]
    for seed, job in zip(answer["seeds"], studio.jobs, strict=True):
        np.testing.assert_allclose(job.z - z_of(LATENT, seed, 0, None), [0, 2, 0, 0], atol=1e-6)
    answer = client.post("/api/colorize", json={"line": text(LINE), "variations": 2}).get_json()
    assert answer["seeds"] == [0, 1]


def test_a_form_says_the_same(client: FlaskClient, studio: Pretended) -> None:
    by_json = client.post(
        "/api/colorize",
        json={"line": text(LINE), "hints": hints(80, 64), "seed": 5, "shift": -1.5},
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
    assert studio.jobs[0].z.any()


def test_a_sketch(client: FlaskClient, studio: Pretended) -> None:
    color = np.repeat(LINE[..., None], 3, axis=2)
    body = {"image": text(color), "style": "enhanced", "size": 80}
    answer = client.post("/api/sketch", json=body).get_json()
    assert set(answer) == {"line", "width", "height", "seconds", "waited"}
    assert (answer["width"], answer["height"]) == (64, 80)
    ink = 1 - LINE.astype(np.float32) / 255
    assert (pixels(answer["line"])[..., 0] == ink_to_sketch(ink, "enhanced")).all()
    assert studio.jobs[0].model == "xdog"
    client.post("/api/sketch", json={"image": text(color)})
    assert studio.jobs[0].picture.shape == (768, 614, 3)


def test_a_simplification(client: FlaskClient, studio: Pretended) -> None:
    answer = client.post("/api/simplify", json={"image": text(LINE)}).get_json()
    assert (pixels(answer["line"])[..., 0] == 255 - LINE).all()
    assert studio.jobs[0].model == "centerline"
    long = np.full((20, 4000), 255, np.uint8)
    answer = client.post("/api/simplify", json={"image": text(long)}).get_json()
    assert (answer["width"], answer["height"]) == (4000, 20)
    assert studio.jobs[0].sketch.shape == (8, 1536)


@pytest.mark.parametrize(
    ("address", "change", "code"),
    [
        ("colorize", {"seed": -1}, "bad_field"),
        ("colorize", {"seed": 2**53}, "bad_field"),
        ("colorize", {"shift": 100.5}, "bad_field"),
        ("colorize", {"dimension": LATENT}, "bad_field"),
        ("colorize", {"variations": 0}, "bad_field"),
        ("colorize", {"variations": 9}, "bad_field"),
        ("colorize", {"size": "huge"}, "bad_field"),
        ("colorize", {"image": ""}, "unknown_field"),
        ("colorize", {"line": None}, "missing_field"),
        ("colorize", {"line": "?"}, "not_base64"),
        ("colorize", {"line": "aGVsbG8="}, "not_a_picture"),
        ("colorize", {"line": text(LINE[:1, :1])}, "picture_too_small"),
        ("colorize", {"line": text(np.full((400, 400), 255, np.uint8))}, "picture_too_large"),
        ("colorize", {"hints": text(LINE)}, "bad_field"),
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
def test_what_is_refused(
    client: FlaskClient, studio: Pretended, address: str, change: dict[str, Any], code: str
) -> None:
    body = {"line" if address == "colorize" else "image": text(LINE)} | change
    assert refused(client.post(f"/api/{address}", json=body)) == code
    assert not studio.jobs


def test_no_colorizer(client: FlaskClient, studio: Pretended) -> None:
    studio.colorizer = None
    answer = client.post("/api/colorize", json={"line": text(LINE)})
    assert refused(answer) == "colorizer_unavailable"
    assert client.post("/api/simplify", json={"image": text(LINE)}).status_code == 200


@pytest.mark.parametrize("code", ["queue_full", "superseded", "shutting_down", "failed"])
def test_what_the_worker_refuses(client: FlaskClient, studio: Pretended, code: str) -> None:
    studio.failure = Problem(code, "Sorry.")
    answer = client.post("/api/colorize", json={"line": text(LINE)})
    assert refused(answer) == code
    assert ("Retry-After" in answer.headers) == (code == "queue_full")


def test_addresses_and_methods(client: FlaskClient) -> None:
    for address in (
        "/nowhere",
        "/api",
        "/api/",
        "/healthz/",
        "/api//models",
        "/static",
        "/static/",
    ):
        assert refused(client.get(address)) == "not_found"
    answer = client.get("/api/colorize")
    assert refused(answer) == "wrong_method"
    assert answer.headers["Allow"] == "OPTIONS, POST"
    assert refused(client.delete("/healthz")) == "wrong_method"
    assert client.head("/healthz").data == b""


def test_bodies_that_cannot_be_read(client: FlaskClient) -> None:
    assert refused(client.post("/api/sketch", data=b"{", content_type="application/json")) == (
        "wrong_json"
    )
    assert refused(client.post("/api/sketch", data=b"x")) == "wrong_content_type"
    assert refused(client.post("/api/sketch")) == "wrong_content_type"
    large = client.post("/api/sketch", data=b" " * 300_001, content_type="application/json")
    assert refused(large) == "body_too_large"
    assert "300,000 bytes" in large.get_json()["error"]["message"]


def test_who_may_ask(client: FlaskClient, studio: Pretended) -> None:
    body = {"line": text(LINE)}
    for headers, code in (
        ({"Host": "evil.example"}, "wrong_host"),
        ({"Origin": "https://evil.example"}, "foreign_page"),
        ({"Sec-Fetch-Site": "cross-site"}, "foreign_page"),
    ):
        assert refused(client.post("/api/colorize", json=body, headers=headers)) == code
    assert not studio.jobs
    assert refused(client.get("/", headers={"Host": "evil.example:7860"})) == "wrong_host"


def test_the_page_is_named_for_paintings_alone(client: FlaskClient, studio: Pretended) -> None:
    headers = {"X-Senga-Client": "b9-7_x.1"}
    client.post("/api/colorize", json={"line": text(LINE)}, headers=headers)
    client.post("/api/simplify", json={"image": text(LINE)}, headers=headers)
    assert studio.pages == ["b9-7_x.1", None]
    for name in ("x" * 65, "a b", "<script>"):
        headers = {"X-Senga-Client": name}
        answer = client.post("/api/colorize", json={"line": text(LINE)}, headers=headers)
        assert refused(answer) == "bad_field"


def test_the_worker_hears_whether_the_client_is_there(
    client: FlaskClient, studio: Pretended
) -> None:
    for gone in (lambda: True, lambda: False):
        overrides = {"waitress.client_disconnected": gone}
        client.post("/api/simplify", json={"image": text(LINE)}, environ_overrides=overrides)
    client.post("/api/simplify", json={"image": text(LINE)})
    assert studio.gone == [True, False, False]


def test_a_failure_is_told_without_what_was_sent(
    client: FlaskClient, studio: Pretended, caplog: pytest.LogCaptureFixture
) -> None:
    studio.failure = ValueError("the picture of the user")
    with caplog.at_level(logging.DEBUG):
        answer = client.post("/api/colorize", json={"line": text(LINE), "shift": 7.4321})
    assert refused(answer) == "failed"
    assert "picture of the user" not in answer.text
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "ValueError in colorize" in record.getMessage()
    assert "answers.py" in record.getMessage()
    for secret in ("picture of the user", text(LINE)[:40], "7.4321"):
        assert secret not in caplog.text
    assert client.get("/healthz").status_code == 200
