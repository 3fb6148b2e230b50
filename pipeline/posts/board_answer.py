"""What a board says where posts were expected, and what to do about it."""

from __future__ import annotations

import html
import json
import re
from typing import Any

from pipeline.posts.board_account import KEY_VARIABLE, USER_VARIABLE, BoardAccount
from pipeline.posts.clean_text import decode

_MAX_LENGTH = 200  # characters that are quoted
_MAX_PAGE_BYTES = 64 * 1024
_MAX_DEPTH = 100  # of JSON; posts of boards have up to five
_FIELDS = ("message", "error", "reason", "detail", "description", "errors")  # of error objects
_NOT_TEXT = re.compile(r"<(script|style|head)\b.*?</\1>|<!--.*?-->|<[^>]*>", re.DOTALL | re.I)
_TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.DOTALL | re.I)
_ACCOUNT_WORDS = re.compile(
    r"authenti|authori[sz]|api[ _-]?key|credential|log(?:ged)? ?in|user_id|account|token", re.I
)
_TAG_WORDS = re.compile(r"TagLimit|(?:more than|up to|over) \w+ tags", re.I)
_LIMIT_WORDS = re.compile(r"quota|limit|too many|throttl|slow down|abuse|try again", re.I)

LIST_EXPECTED = "expected a JSON list of posts, each with an id"


def parse_json(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Return a body of JSON; odd bytes, control characters and endless numbers cost nothing.

    Raises:
        ValueError: if it is no JSON.
        RecursionError: if it is nested too deeply.
    """
    text = decode(body, json.detect_encoding(body))
    value = json.loads(text, strict=False, parse_int=_int_or_text)
    _check_depth(value)
    return value


def _check_depth(value: object) -> None:
    """Raise RecursionError for a value that may be too deep for what else is done with it."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        inner = [part for part in level if isinstance(part, (list, dict))]
        level = [
            one for part in inner for one in (part.values() if isinstance(part, dict) else part)
        ]
        if not level:
            return
    raise RecursionError(f"nested more than {_MAX_DEPTH} deep")


def _int_or_text(digits: str) -> int | str:
    """Return a whole number; a very long one, which `int` refuses, stays text."""
    return int(digits) if len(digits) <= 30 else digits


def words_of(body: bytes, account: BoardAccount) -> str:
    """Return what a body says to people, in one line of at most 200 characters; may be empty.

    Args:
        body: JSON with a message, a web page, XML, or text.
        account: which is left out, should the board repeat it.
    """
    try:
        said = _message(parse_json(body))
    except (ValueError, RecursionError):
        said = ""
    page = decode(body[:_MAX_PAGE_BYTES])
    said = said or _page_text(page).strip() or page  # XML without text, such as <posts count="0"/>
    said = "".join(c if c.isprintable() else " " for c in account.hide_all(said))
    line = " ".join(said.split())
    return line if len(line) <= _MAX_LENGTH else f"{line[: _MAX_LENGTH - 3]}..."


def _page_text(page: str) -> str:
    """Return the title of a web page, or else what XML or text says."""
    title = _TITLE.search(page)
    return html.unescape(title[1] if title else _NOT_TEXT.sub(" ", page))


def _message(value: object) -> str:
    """Return the message of a JSON value: a string, or a known field of an object."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "; ".join(filter(None, map(_message, value[:3])))
    if isinstance(value, dict):
        found = (_message(value[name]) for name in _FIELDS if name in value)
        return ": ".join(dict.fromkeys(filter(None, found)))
    return ""


def advice(
    said: str,
    status: int | None = None,
    *,
    has_account: bool = False,
    account_words: str = "the API key and the user id",
) -> str:
    """Return what to do, as a sentence without its full stop.

    Args:
        said: of the board: its words.
        status: of the HTTP response.
        has_account: whether the request carried an account.
        account_words: what people call key and user at the board.
    """
    if _TAG_WORDS.search(said):
        return "Set [metadata] tags_per_search to what the board allows"
    if status == 401 or (status != 429 and _ACCOUNT_WORDS.search(said)):
        variables = f"{KEY_VARIABLE} and {USER_VARIABLE}"
        if has_account:
            return f"Check the environment variables {variables}: the board does not accept them"
        return (
            f"Set the environment variables {variables} to {account_words} of your account at the "
            "board"
        )
    if status == 429 or _LIMIT_WORDS.search(said):
        return "Wait, an hour or a day, and run again"
    if status is not None and status >= 500:
        return "Run again later"
    if status == 403 and has_account:
        return f"Check the environment variables {KEY_VARIABLE} and {USER_VARIABLE}"
    if status == 403:
        return f"Run again later; some boards want an account, {KEY_VARIABLE} and {USER_VARIABLE}"
    return "Check [metadata] api_url"
