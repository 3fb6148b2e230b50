"""The account at a board gets into requests, and nowhere else."""

from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.posts.board_account import BoardAccount
from pipeline.posts.boards.known import BOARDS, find_board

ACCOUNTS = [find_board(name, "https://booru.example/api").account for name in BOARDS[1:]]
URL = "https://booru.example/index.php?page=dapi&tags=solo"
KEY = "a1b2/c3+d4=="


def test_variables_are_read_and_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENGA_BOARD_KEY", f" {KEY}\n")
    monkeypatch.delenv("SENGA_BOARD_USER", raising=False)
    account = BoardAccount.from_environment()
    assert (account.key, account.user) == (KEY, "")
    assert account
    assert not BoardAccount()
    assert KEY not in repr(account)


@given(st.text(max_size=9), st.text(max_size=9))
def test_signed_url_carries_what_is_given(key: str, user: str) -> None:
    signed = BoardAccount(key=key, user=user).sign(URL)
    assert signed.startswith(URL)
    query = parse_qs(urlsplit(signed).query, keep_blank_values=True)
    expected = {"api_key": [key]} if key else {}
    expected |= {"user_id": [user]} if user else {}
    assert {name: query[name] for name in query if name not in ("page", "tags")} == expected


NAMES = sorted({(board.key, board.user) for board in ACCOUNTS})


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("key", [KEY, "0123456789abcdef", "short"])
@pytest.mark.parametrize("user", ["12345", "solo", "Mi Ku"])
def test_account_is_hidden_in_every_spelling(key: str, user: str, names: tuple[str, str]) -> None:
    account = BoardAccount(key=key, user=user)
    for text in (
        account.sign(URL, key=names[0], user=names[1]),
        f"no account has the key {key}.",
        f'{{"url": "https:\\/\\/a?api_key={key}", "k": "{key}"}}'.replace("2/c", r"2\/c"),
    ):
        hidden = account.hide(text)
        assert key not in hidden
        assert key.replace("/", r"\/") not in hidden
        assert not parse_qs(urlsplit(hidden).query).get(names[1], ["***"])[0].startswith(user)
    assert user not in account.hide_all(f"The user {user} has used up the quota of {user}.")


@pytest.mark.parametrize(("key_name", "user_name"), NAMES)
def test_url_that_was_cut_is_hidden_in_messages(key_name: str, user_name: str) -> None:
    account = BoardAccount(key="0123456789abcdef" * 4, user="43210")
    signed = account.sign(URL, key=key_name, user=user_name)
    cut = f"wrong_scheme: '{signed[:90]}'"
    assert "0123456789" in cut
    assert "01234" not in account.hide_all(cut)
    assert account.hide_all(cut).endswith(f"{key_name}=***'")


SECRET = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=8)


@given(SECRET, st.sampled_from(NAMES), st.text(max_size=7))
def test_no_key_is_left_in_a_message(key: str, names: tuple[str, str], around: str) -> None:
    account = BoardAccount(key=key, user="someone")
    signed = account.sign(URL, key=names[0], user=names[1])
    for text in (signed, f"{around}{signed}{around}", f"{around} {key} {around}"):
        hidden = account.hide_all(text)
        assert key not in hidden
        assert quote(key, safe="") not in hidden


def test_words_of_a_page_stay() -> None:
    account = BoardAccount(key="0123456789abcdef", user="solo")
    page = '[{"id": 12345, "tags": "solo solo_focus", "owner": "solo"}]'
    assert account.hide(page) == page
    assert account.hide_in_page(page.encode() + b"\xff") == page.encode() + b"\xff"
    assert BoardAccount().hide_all(page) == page
