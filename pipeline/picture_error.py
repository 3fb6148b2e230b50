"""The error of a picture that cannot be used."""

from __future__ import annotations


class PictureError(Exception):
    """A picture cannot be used.

    Attributes:
        code: stable and snake_case: `empty`, `not_a_picture`, `zero_pixels`, `too_large`,
            `too_complex`, `truncated` or `broken`.
        detail: what exactly is wrong, for people.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail
