"""Requests to a board's API, with the account that the environment variables give."""

from __future__ import annotations

from pipeline.collect.client import PoliteClient
from pipeline.collect.fetch_error import FetchError
from pipeline.posts.board_account import BoardAccount
from pipeline.posts.board_answer import advice, words_of
from sketch_models.errors import SengaError


def get_page(client: PoliteClient, url: str) -> bytes:
    """Return a page of a board's API; raise SengaError if it cannot be fetched.

    The account goes into the request, and into nothing else.
    """
    account = BoardAccount.from_environment()
    try:
        body = client.get(account.sign(url))
    except FetchError as error:
        problem, remedy = _explain(error, account)
        raise SengaError(
            f"{url} {problem}. {remedy}. The posts collected so far are kept."
        ) from error
    return account.hide_in_page(body)


def _explain(error: FetchError, account: BoardAccount) -> tuple[str, str]:
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
    remedy = advice(said, error.status, has_account=bool(account))
    return f"was answered with {error.status} ({detail}){quoted}", remedy
