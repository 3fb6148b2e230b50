"""The errors of the JSON API: a closed set of codes, each with its HTTP status."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.picture_format import FORMAT_NAMES

CODES: dict[str, tuple[int, str]] = {
    "wrong_json": (400, "the body is not a JSON object"),
    "wrong_form": (400, "the body is not a complete multipart form"),
    "bad_request": (400, "the request is not valid HTTP"),
    "missing_field": (400, "a required field is missing"),
    "unknown_field": (400, "this address has no field of that name"),
    "bad_field": (400, "a field has the wrong type, or a value out of range"),
    "not_base64": (400, "the text of a picture is not base64"),
    "wrong_host": (403, "the Host header names another machine, as in DNS rebinding"),
    "foreign_page": (403, "the request came from a page of another site"),
    "not_found": (404, "there is nothing at this address"),
    "wrong_method": (
        405,
        "the address does not take this method; the Allow header lists those it takes",
    ),
    "request_timeout": (408, "the request took too long to arrive"),
    "superseded": (409, "a newer request of the same page took its place in the queue"),
    "body_too_large": (413, "the body has more bytes than `limits.body_bytes`"),
    "picture_too_large": (413, "the header of a picture gives more pixels than `limits.pixels`"),
    "wrong_content_type": (415, "the Content-Type is neither JSON nor a multipart form"),
    "not_a_picture": (422, f"the file is not {FORMAT_NAMES}"),
    "broken_picture": (422, "the picture cannot be decoded, or ends too early"),
    "picture_too_complex": (
        422,
        "more scans, segments or blocks than a picture of its size needs",
    ),
    "picture_too_small": (422, "a side of the picture is shorter than `limits.min_side`"),
    "size_mismatch": (422, "the hints and the line art differ in size"),
    "client_gone": (499, "the client disconnected before its turn; nobody receives this response"),
    "failed": (500, "an error in the demo itself; its terminal shows more"),
    "queue_full": (503, "too many requests are waiting; Retry-After says when to try again"),
    "colorizer_unavailable": (503, "no colorizer is loaded"),
    "model_unavailable": (503, "the sketch or line model is not loaded"),
    "shutting_down": (503, "the demo is shutting down"),
}
"""Status and meaning of every code. docs/demo.md has the same table."""

_RETRY_AFTER = "1"  # seconds


class ApiError(Exception):
    """A request that is refused or failed.

    Attributes:
        code: one of `CODES`.
        status: of the HTTP response.
        message: for people, what is wrong and what to do.
        headers: of the HTTP response, on top of those that every response has.
    """

    def __init__(self, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.status = CODES[code][0]
        self.message = message
        self.headers = dict(headers or {})
        if code == "queue_full":
            self.headers.setdefault("Retry-After", _RETRY_AFTER)

    @property
    def body(self) -> dict[str, dict[str, str]]:
        """The JSON object of the response."""
        return {"error": {"code": self.code, "message": self.message}}


def body_too_large(max_body: int) -> ApiError:
    """Return the error for a request of more than `max_body` bytes."""
    return ApiError(
        "body_too_large", f"The request is larger than {max_body:,} bytes. Send a smaller picture."
    )


def bad_request() -> ApiError:
    """Return the error for a request that is not valid HTTP."""
    return ApiError("bad_request", "The request is not valid HTTP. Check its headers and length.")


def request_timeout() -> ApiError:
    """Return the error for a request that does not arrive as a whole."""
    return ApiError(
        "request_timeout",
        "The request took too long to arrive. Send it again, or send a smaller picture.",
    )


def internal_error() -> ApiError:
    """Return the error for a bug of the demo."""
    return ApiError("failed", "The demo failed. Its terminal shows where; please report it.")
