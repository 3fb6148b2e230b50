"""The account at a board, from environment variables, so that no file of Senga ever holds it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus, urlencode

KEY_VARIABLE = "SENGA_BOARD_KEY"
USER_VARIABLE = "SENGA_BOARD_USER"

_HIDDEN = "***"
_KEY_NAMES, _USER_NAMES = "api_key|password_hash", "user_id|login"  # in the queries of boards
_MIN_KEY = 6  # characters; a shorter text may be a part of other words


@dataclass(frozen=True, kw_only=True)
class BoardAccount:
    """The key of a board's API, and whose it is; either may be empty.

    Attributes:
        key: the API key.
        user: id or name of the user.
    """

    key: str = field(default="", repr=False)
    user: str = field(default="", repr=False)

    @classmethod
    def from_environment(cls) -> BoardAccount:
        """Return the account that the environment variables give."""
        return cls(
            key=os.environ.get(KEY_VARIABLE, "").strip(),
            user=os.environ.get(USER_VARIABLE, "").strip(),
        )

    def __bool__(self) -> bool:
        """Return whether there is a key or a user."""
        return bool(self.key or self.user)

    def sign(self, url: str, *, key: str = "api_key", user: str = "user_id") -> str:
        """Return a URL of the API with the account in its query.

        Args:
            url: which has a query.
            key: the name of the key there.
            user: the name of the user there.
        """
        query = {key: self.key, user: self.user}
        given = {name: value for name, value in query.items() if value}
        return f"{url}&{urlencode(given)}" if given else url

    def hide(self, text: str) -> str:
        """Return text without the key, in any spelling, and without the user in a query."""
        for key in _spellings(self.key):
            edge = "" if len(key) >= _MIN_KEY else r"\b"
            text = re.sub(edge + re.escape(key) + edge, _HIDDEN, text)
        for user in _spellings(self.user):
            value = rf"(?i:\b({_USER_NAMES})=){re.escape(user)}(?![\w%+.-])"
            text = re.sub(value, rf"\1={_HIDDEN}", text)
        return text

    def hide_in_page(self, body: bytes) -> bytes:
        """Return a page of posts without the key, as `hide` does; nothing else changes."""
        return self.hide(body.decode("latin-1")).encode("latin-1")  # each byte is a character

    def hide_all(self, text: str) -> str:
        """Return a message without the key and the user, or parts of them in a URL that was cut.

        It is not for pages: the user may be a common word or number.
        """
        for user in _spellings(self.user):
            text = re.sub(rf"(?<!\w){re.escape(user)}(?!\w)", _HIDDEN, text)
        text = self.hide(text)
        return re.sub(rf"""(?i:\b({_KEY_NAMES}|{_USER_NAMES})=)[^&\s'"]+""", rf"\1={_HIDDEN}", text)


def _spellings(text: str) -> set[str]:
    """Return a text as it is, in a URL, and in JSON with escaped slashes; none of an empty one."""
    return {text, quote(text, safe=""), quote_plus(text), text.replace("/", r"\/")} - {""}
