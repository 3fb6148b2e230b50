"""The account at a board gets into requests, and nowhere else."""

from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.posts.board_account import BoardAccount

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


@pytest.mark.parametrize("key", [KEY, "0123456789abcdef", "short"])
@pytest.mark.parametrize("user", ["12345", "solo", "Mi Ku"])
def test_account_is_hidden_in_every_spelling(key: str, user: str) -> None:
    account = BoardAccount(key=key, user=user)
    for text in (
        account.sign(URL),
        f"no account has the key {key}.",
        f'{{"url": "https:\\/\\/a?api_key={key}", "k": "{key}"}}'.replace("2/c", r"2\/c"),
    ):
        hidden = account.hide(text)
        assert key not in hidden
        assert key.replace("/", r"\/") not in hidden
        assert not parse_qs(urlsplit(hidden).query).get("user_id", ["***"])[0].startswith(user)
    assert user not in account.hide_all(f"The user {user} has used up the quota of {user}.")


def test_url_that_was_cut_is_hidden_in_messages() -> None:
    account = BoardAccount(key="0123456789abcdef" * 4, user="43210")
    cut = f"wrong_scheme: '{account.sign(URL)[:80]}'"
    assert "0123456789" in cut
    assert "01234" not in account.hide_all(cut)
    assert account.hide_all(cut).endswith("api_key=***'")


def test_words_of_a_page_stay() -> None:
    account = BoardAccount(key="0123456789abcdef", user="solo")
    page = '[{"id": 12345, "tags": "solo solo_focus", "owner": "solo"}]'
    assert account.hide(page) == page
    assert account.hide_in_page(page.encode() + b"\xff") == page.encode() + b"\xff"
    assert BoardAccount().hide_all(page) == page
