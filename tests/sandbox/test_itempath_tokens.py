"""Tokens of the simulated ItemPath: what a client can read in them, and when they are refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.sandbox.itempath_tokens import Kind, TokenIssuer, TokenRefused, read_claims
from tests.sandbox.hands import START, Hands


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def issuer(hands: Hands) -> TokenIssuer:
    return TokenIssuer(now=hands)


def refusal(issuer: TokenIssuer, header: str | None, kind: Kind = "access") -> tuple[int, str]:
    with pytest.raises(TokenRefused) as refused:
        issuer.check(header, kind)
    return refused.value.status, refused.value.msg


def test_an_issued_token_is_a_jwt_that_names_its_end_and_holds_until_then(issuer: TokenIssuer, hands: Hands) -> None:
    token, end = issuer.issue("access", "ada", seconds=900)

    assert end == START + timedelta(minutes=15)
    assert read_claims(token)["exp"] == int(end.timestamp())
    assert read_claims(token)["type"] == "access"
    assert issuer.check(f"Bearer {token}", "access") == "ada"
    hands.at = end - timedelta(seconds=1)
    assert issuer.check(f"Bearer {token}", "access") == "ada"
    hands.at = end
    assert refusal(issuer, f"Bearer {token}") == (401, "Token has expired")


def test_an_application_token_never_expires_and_has_no_exp(issuer: TokenIssuer, hands: Hands) -> None:
    hands.at += timedelta(days=4000)
    issuer.revoke()

    assert "exp" not in read_claims(issuer.application_token)
    assert issuer.check(f"Bearer {issuer.application_token}", "access") == "application"


def test_a_given_application_token_is_taken_as_it_is(hands: Hands) -> None:
    issuer = TokenIssuer(now=hands, application_token="opaque")

    assert issuer.check("Bearer opaque", "access") == "application"
    assert refusal(issuer, "Bearer opaque", "refresh") == (422, "Not enough segments")


def test_each_kind_of_token_is_refused_in_the_other_ones_place(issuer: TokenIssuer) -> None:
    access, _ = issuer.issue("access", "ada", seconds=60)
    refresh, _ = issuer.issue("refresh", "ada", seconds=60)

    assert issuer.check(f"Bearer {refresh}", "refresh") == "ada"
    assert refusal(issuer, f"Bearer {refresh}") == (422, "Only non-refresh tokens are allowed")
    assert refusal(issuer, f"Bearer {access}", "refresh") == (422, "Only refresh tokens are allowed")


def test_the_application_token_cannot_be_refreshed(issuer: TokenIssuer) -> None:
    assert refusal(issuer, f"Bearer {issuer.application_token}", "refresh")[0] == 422


def test_revoked_tokens_are_refused_although_they_have_not_expired(issuer: TokenIssuer) -> None:
    token, _ = issuer.issue("access", "ada", seconds=60)
    issuer.revoke()

    assert refusal(issuer, f"Bearer {token}") == (401, "Token has been revoked")


def test_a_missing_token_is_401_and_an_unreadable_one_422(issuer: TokenIssuer, hands: Hands) -> None:
    foreign, _ = TokenIssuer(now=hands).issue("access", "ada", seconds=60)

    assert refusal(issuer, None)[0] == 401
    assert refusal(issuer, "Basic YTpi")[0] == 422
    assert refusal(issuer, "Bearer ")[0] == 422
    assert refusal(issuer, "Bearer two words")[0] == 422
    assert refusal(issuer, "Bearer rubbish") == (422, "Not enough segments")
    assert refusal(issuer, f"Bearer {foreign}") == (422, "Signature verification failed")
    assert refusal(issuer, "Bearer a.b.ü")[0] == 422


@pytest.mark.parametrize("text", ["", "a.b", "a.!.c", "a.WzFd.c", "a.e30.c.d"])
def test_only_jwts_have_claims(text: str) -> None:
    with pytest.raises(ValueError, match="not a JWT"):
        read_claims(text)
