"""What a board says instead of posts, and what to do about it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.posts.board_account import BoardAccount
from pipeline.posts.board_answer import advice, words_of


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'"Missing authentication."', "Missing authentication."),
        (b'<posts count="0"></posts>', '<posts count="0"></posts>'),
        (b'{"success": false, "message": "API limited", "code": 1}', "API limited"),
        (b'{"success":false,"error":"PaginationError","message":"go"}', "go: PaginationError"),
        (b'{"error": {"message": "quota\\nexceeded"}}', "quota exceeded"),
        (b'{"errors": ["bad key", {"detail": "of you"}]}', "bad key; of you"),
        (b"Too deep! Pull it back some. Holy fuck.", "Too deep! Pull it back some. Holy fuck."),
        (b'<?xml version="1.0"?><response success="false" reason="x">Go &amp; away</response>',
         "Go & away"),
        (b"<head><title>403\n Forbidden</title><style>p{}</style></head><p>x", "403 Forbidden"),
        (b"<script>let a = 1</script><p>Sorry<br>closed", "Sorry closed"),
        (b"caf\xe9 \x00closed", "caf\u00e9 closed"),
        (b"", ""),
        (b"[]", "[]"),
        (b"x" * 500, "x" * 197 + "..."),
    ],
)  # fmt: skip
def test_words_are_one_line(body: bytes, words: str) -> None:
    assert words_of(body, BoardAccount()) == words


@given(st.binary(max_size=300))
def test_any_body_is_a_printable_line(body: bytes) -> None:
    said = words_of(body, BoardAccount())
    assert said.isprintable()
    assert len(said) <= 200


def test_account_is_left_out_before_the_words_are_cut() -> None:
    account = BoardAccount(key="0123456789abcdef" * 8, user="43210")
    body = b"x" * 150 + b" 43210 " + b"0123456789abcdef" * 8
    assert words_of(body, account) == "x" * 150 + " *** ***"


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ("", 401, "Set the environment variables SENGA_BOARD_KEY and SENGA_BOARD_USER"),
        ("Missing authentication. Go to api.rule34.xxx", None, "Set the environment"),
        ("Invalid api_key", 403, "Set the environment"),
        ("API limited due to abuse", None, "Wait"),
        ("Your account is over its quota", 429, "Wait"),
        ("", 429, "Wait"),
        ("", 503, "Run again later"),
        ("", 403, "some boards want an account"),
        ("You can only search up to 6 tags at once", 500, "Set [metadata] tags_per_search"),
        ("x: PostQuery::TagLimitError", 422, "Set [metadata] tags_per_search"),
        ("Not found", 404, "Check [metadata] api_url"),
        ("<svg>", None, "Check [metadata] api_url"),
    ],
)
def test_advice_fits_what_the_board_says(said: str, status: int | None, words: str) -> None:
    assert words in advice(said, status)


def test_refused_account_is_to_be_checked() -> None:
    sentence = advice("Invalid api_key", 401, has_account=True)
    assert sentence.startswith("Check the environment variables SENGA_BOARD_KEY")
    sentence = advice("access denied", 403, has_account=True)
    assert sentence.startswith("Check the environment variables SENGA_BOARD_KEY")
