"""What may be wrong with a request: a closed set of codes, each with its status."""

from __future__ import annotations

from collections.abc import Mapping

CODES: dict[str, tuple[int, str]] = {
    "wrong_json": (400, "the body is no JSON object"),
    "wrong_form": (400, "the body is no whole multipart form"),
    "bad_request": (400, "the request is not proper HTTP"),
    "missing_field": (400, "a field that must be there is not"),
    "unknown_field": (400, "a field that this address does not know"),
    "bad_field": (400, "a field of the wrong type, or with a value out of its range"),
    "not_base64": (400, "a picture whose text is not base64"),
    "wrong_host": (403, "the Host header names another machine: DNS rebinding"),
    "foreign_page": (403, "a page of another site sent the request"),
    "not_found": (404, "there is nothing at this address"),
    "wrong_method": (405, "the address does not take this method; Allow says which it takes"),
    "superseded": (409, "a newer request of the same page took its place in the queue"),
    "body_too_large": (413, "the body has more bytes than `limits.body_bytes`"),
    "picture_too_large": (413, "the header of a picture claims more than `limits.pixels`"),
    "wrong_content_type": (415, "the body is neither JSON nor a multipart form"),
    "not_a_picture": (422, "neither PNG nor JPEG nor GIF"),
    "broken_picture": (422, "a picture that cannot be decoded, or ends too soon"),
    "picture_too_small": (422, "a side of a picture is shorter than `limits.smallest_side`"),
    "size_mismatch": (422, "the hints are not of the size of the line art"),
    "client_gone": (499, "the client hung up before its turn came; nobody reads this"),
    "failed": (500, "the demo's own fault; its terminal says more"),
    "queue_full": (503, "too many requests wait; Retry-After says when to ask again"),
    "colorizer_unavailable": (503, "no colorizer is loaded"),
    "model_unavailable": (503, "the sketch or line model is not loaded"),
    "shutting_down": (503, "the demo is being ended"),
}
"""Status and meaning of every code. docs/demo_api.md has the same table."""

_RETRY_AFTER = "1"  # seconds


class Problem(Exception):  # noqa: N818 - of the request, not of the demo
    """A request cannot be answered.

    Attributes:
        code: one of `CODES`.
        status: of the HTTP answer.
        message: one sentence: what, what was expected, what to do.
        headers: of the HTTP answer, on top of those that every answer has.
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
        """The JSON object of the answer."""
        return {"error": {"code": self.code, "message": self.message}}
