"""Requests to a board's API, with the account that the environment variables give."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import urlsplit

from pipeline.collect.client import PoliteClient
from pipeline.collect.fetch_error import FetchError
from pipeline.posts.board_account import BoardAccount
from pipeline.posts.board_answer import advice, words_of
from pipeline.posts.boards.board import Board
from sketch_models.errors import SengaError


class BoardPages:
    """Fetches pages of a board's API, no faster than it allows.

    The account goes into the requests, and into nothing else.

    Args:
        client: sends the requests.
        board: whose API it is.
        clock: for the pace, in seconds.
        wait: waits for some seconds.
    """

    def __init__(
        self,
        client: PoliteClient,
        board: Board,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._board, self._clock, self._wait = client, board, clock, wait
        is_own = (urlsplit(board.url).hostname or "") in client.connect_to
        self._pause = 0.0 if is_own else 1 / board.limits.pages_per_second
        self._last = -self._pause

    def get(self, url: str) -> bytes:
        """Return a page; raise SengaError if it cannot be fetched."""
        if (rest := self._last + self._pause - self._clock()) > 0:
            self._wait(rest)
        self._last = self._clock()
        account, fields = BoardAccount.from_environment(), self._board.account
        try:
            body = self._client.get(account.sign(url, key=fields.key, user=fields.user))
        except FetchError as error:
            problem, remedy = _explain(error, account, fields.words)
            raise SengaError(
                f"{url} {problem}. {remedy}. The posts collected so far are kept."
            ) from error
        return account.hide_in_page(body)


def _explain(error: FetchError, account: BoardAccount, account_words: str) -> tuple[str, str]:
    """Return what went wrong with a request to a board, and what to do about it."""
    detail = account.hide_all(error.detail)
    if error.code == "robots_txt":
        remedy = "With the permission of the board, switch [download] robots_txt off"
        return f"was not requested ({error.code}: {detail})", remedy
    if error.code == "too_many_bytes":
        return f"sent {detail}, expected a page of posts", "Check [metadata] api_url"
    if not error.code.startswith("http_") and error.code != "shut_out":
        return f"could not be fetched ({error.code}: {detail})", "Check the network and run again"
    said = words_of(error.body, account)
    quoted = f": {said!r}" if said else ""
    remedy = advice(said, error.status, has_account=bool(account), account_words=account_words)
    return f"was answered with {error.status} ({detail}){quoted}", remedy
