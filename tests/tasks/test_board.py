"""What becomes of requests to a board that wants an account, or nothing more of us."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler

import pytest

from benchmarks.harness.web import Web
from pipeline.collect.client import PoliteClient
from pipeline.collect.options import DownloadOptions
from pipeline.posts.boards.dapi import Dapi
from pipeline.posts.boards.known import find_board
from sketch_models.errors import SengaError
from tasks.board import BoardPages
from tasks.terminal import TerminalHandler

KEY, USER = "5ecre7+/key==", "43210"
SIGNED = "/index.php?page=dapi&api_key=5ecre7%2B%2Fkey%3D%3D&user_id=43210"
PLAIN = "/index.php?page=dapi"
FIELDS = {
    "gelbooru": "api_key=5ecre7%2B%2Fkey%3D%3D&user_id=43210",
    "danbooru": "api_key=5ecre7%2B%2Fkey%3D%3D&login=43210",
    "moebooru": "password_hash=5ecre7%2B%2Fkey%3D%3D&login=43210",
    "e621": "api_key=5ecre7%2B%2Fkey%3D%3D&login=43210",
}
"""The account in the query of every board."""


@pytest.fixture(autouse=True)
def account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENGA_BOARD_KEY", KEY)
    monkeypatch.setenv("SENGA_BOARD_USER", USER)


def get(web: Web, board: str = "gelbooru") -> bytes:
    options = DownloadOptions(allow_private=True, requests_per_second=0, retries=0)
    client = PoliteClient(options=options, allowed_hosts=("127.0.0.1",))
    pages = BoardPages(client, find_board(board, f"http://{web.address}/index.php"))
    return pages.get(f"http://{web.address}{PLAIN}")


@pytest.mark.parametrize("board", FIELDS)
def test_account_goes_into_the_request_alone(web: Web, board: str) -> None:
    signed = f"{PLAIN}&{FIELDS[board]}"
    web.put(signed, web.page(b'[{"id": 1}]'))
    assert get(web, board) == b'[{"id": 1}]'
    assert web.requested == ["/robots.txt", signed]


@pytest.mark.parametrize(
    ("board", "words"),
    [
        ("gelbooru", "the API key and the user id"),
        ("danbooru", "the API key and the name"),
        ("moebooru", "the password hash and the name"),
        ("e621", "the API key and the name"),
    ],
)
def test_message_names_what_the_board_wants(
    web: Web, monkeypatch: pytest.MonkeyPatch, board: str, words: str
) -> None:
    monkeypatch.delenv("SENGA_BOARD_KEY")
    monkeypatch.delenv("SENGA_BOARD_USER")
    web.put(PLAIN, web.page(status=401))
    with pytest.raises(SengaError, match=f"SENGA_BOARD_USER to {words} of your account"):
        get(web, board)


def test_request_without_an_account_is_that_of_the_url(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SENGA_BOARD_KEY")
    monkeypatch.setenv("SENGA_BOARD_USER", " ")
    web.put(PLAIN, web.page(b'"Missing authentication"', 401))
    with pytest.raises(SengaError) as caught:
        get(web)
    assert str(caught.value) == (
        f"http://{web.address}{PLAIN} was answered with 401 (Unauthorized): 'Missing "
        "authentication'. Set the environment variables SENGA_BOARD_KEY and SENGA_BOARD_USER to "
        "the API key and the user id of your account at the board. The posts collected so far are "
        "kept."
    )


def test_account_in_a_page_is_not_passed_on(web: Web) -> None:
    """A board may repeat the request in its response."""
    web.put(SIGNED, web.page(f'[{{"id": 1, "source": "{SIGNED} {KEY} \xff"}}]'.encode("latin-1")))
    page = get(web)
    assert KEY.encode() not in page
    assert b"43210" not in page
    assert page.startswith(b'[{"id": 1, "source": "/index.php?page=dapi&api_key=***')
    assert page.endswith(b'*** \xff"}]')


def redirect(start: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """Return a page that redirects to a start of an address and the requested path."""
    return lambda handler: Web.page(status=302, Location=f"{start}{handler.path}")(handler)


def echo(handler: BaseHTTPRequestHandler) -> None:
    Web.page(f"Key {KEY} of user {USER} refused: {handler.path}".encode(), 403)(handler)


@pytest.mark.parametrize("board", FIELDS)
@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ([Web.page(status=401)], r"with 401 \(Unauthorized\)\. Check the environment variables"),
        ([Web.page(b"API limited", 429)], r"with 429 \(Too Many Requests\): 'API limited'\. Wait"),
        ([Web.page(b'{"message": "quota exceeded"}', 403)], "'quota exceeded'. Wait"),
        ([Web.page(b"<title>Down</title>", 503)], "'Down'. Run again later"),
        ([Web.page(status=404)], r"Check \[metadata\] api_url"),
        ([echo], r"'Key \*\*\* of user \*\*\* refused: /index.php\?page=dapi&api_key=\*\*\*"),
        ([redirect("")], r"too_many_redirects: .*api_key=\*\*\*"),
        ([redirect("http://[")], "could not be fetched"),
        ([redirect("ftp://a")], r"wrong_scheme: .*\*\*\*"),
        ([Web.reset], r"connection_failed: .*Check the network"),
    ],
)
def test_message_has_the_words_of_the_board_but_no_account(
    web: Web, pages: list[object], words: str, board: str
) -> None:
    web.put(f"{PLAIN}&{FIELDS[board]}", *pages)  # type: ignore[arg-type]
    words = words.replace("api_key=", FIELDS[board].partition("=")[0] + "=")
    with pytest.raises(SengaError, match=words) as caught:
        get(web, board)
    message = str(caught.value)
    assert message.startswith(f"http://{web.address}{PLAIN} ")
    for secret in (KEY, "5ecre7", USER):
        assert secret not in message


def test_robots_txt_is_named(web: Web) -> None:
    web.put("/robots.txt", web.page(b"User-agent: *\nDisallow: /"))
    with pytest.raises(SengaError, match=r"was not requested \(robots_txt.*permission"):
        get(web)


def test_key_is_hidden_in_what_libraries_log(web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    """urllib3 logs the URL of a response whose headers are odd."""
    web.put(
        SIGNED,
        web.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nodd line\r\nA: b\r\n\r\n[]"),
    )
    handler, logger = TerminalHandler(), logging.getLogger("urllib3")
    logger.addHandler(handler)
    try:
        get(web)
    finally:
        logger.removeHandler(handler)
    logged = capsys.readouterr().err
    assert "Failed to parse headers" in logged
    assert "5ecre7" not in logged
    assert "43210" not in logged


def test_page_without_an_end_is_one_sentence(web: Web) -> None:
    web.put(SIGNED, web.page(b"[" + b" " * 17_000_000 + b"]"))
    with pytest.raises(SengaError) as caught:
        get(web)
    assert str(caught.value) == (
        f"http://{web.address}{PLAIN} sent more than 16,000,000 bytes, expected a page of posts. "
        "Check [metadata] api_url. The posts collected so far are kept."
    )


class SlowClock:
    """A clock that only waiting advances."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(("is_own", "seconds"), [(False, 1.5), (True, 0.0)])
def test_pages_keep_the_pace_of_the_board(
    monkeypatch: pytest.MonkeyPatch, is_own: bool, seconds: float
) -> None:
    """The sample booru has none."""
    monkeypatch.setattr(PoliteClient, "get", lambda *_: b"[]")
    connect_to = {"board.example": "127.0.0.1:1"} if is_own else {}
    client = PoliteClient(options=DownloadOptions(), connect_to=connect_to)
    clock, board = SlowClock(), Dapi(url="https://board.example/index.php")
    pages = BoardPages(client, board, clock=clock, wait=clock.wait)
    for _ in range(4):
        assert pages.get("https://board.example/index.php?a") == b"[]"
    assert clock.now == 100 + seconds
    clock.now += 60
    pages.get("https://board.example/index.php?a")
    assert clock.now == 160 + seconds
