"""A signature fits exactly the body and the secrets it was made with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.github.signature import sign, verify

secrets = st.text(min_size=1, max_size=20)


@given(body=st.binary(max_size=200), secret=secrets, others=st.lists(secrets, max_size=3))
def test_the_secret_that_signed_is_accepted_wherever_it_stands(body, secret, others) -> None:
    assert verify(body, sign(body, secret), [*others, secret])
    assert verify(body, sign(body, secret), [secret, *others])


@given(body=st.binary(max_size=200), other=st.binary(max_size=200), secret=secrets)
def test_another_body_is_refused(body, other, secret) -> None:
    assert verify(other, sign(body, secret), [secret]) == (other == body)


@given(body=st.binary(max_size=50), one=secrets, two=secrets)
def test_another_secret_is_refused(body, one, two) -> None:
    # HMAC pads keys with zero bytes, so these two spell the same key
    same = one.encode().rstrip(b"\0") == two.encode().rstrip(b"\0")
    assert verify(body, sign(body, one), [two]) == same


@given(body=st.binary(max_size=50), header=st.one_of(st.none(), st.text(), st.binary().map(repr)))
def test_a_malformed_header_is_refused_without_an_error(body, header) -> None:
    assert not verify(body, header, ["secret"])


def test_the_value_is_the_one_github_documents() -> None:
    # https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries
    signature = sign(b"Hello, World!", "It's a Secret to Everybody")
    expected = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    assert signature == f"sha256={expected}"


@pytest.mark.parametrize("secrets", [[], [""], ["", ""]])
def test_without_a_secret_nothing_is_accepted(secrets) -> None:
    assert not verify(b"{}", "sha256=" + "0" * 64, secrets)


def test_signing_with_an_empty_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="WEBHOOK_SECRET"):
        sign(b"{}", "")


@pytest.mark.parametrize(
    "change", [str.upper, str.strip, lambda text: text[:-1], lambda text: text + " "]
)
def test_the_prefix_and_every_digit_count(change) -> None:
    signature = sign(b"{}", "s")
    assert verify(b"{}", change(signature), ["s"]) == (change(signature) == signature)
