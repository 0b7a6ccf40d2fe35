"""Credentials in foreign errors are hidden; what the errors say stays readable."""

from __future__ import annotations

import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.masking import MASK, mask

unhurried = settings(deadline=None)
"""How long one example takes is the machine's affair, not the law's."""

LEAKS = {
    "Authorization: Bearer {}": "Authorization: Bearer [masked]",
    "authorization: Basic {} was refused": "authorization: Basic [masked] was refused",
    'headers: {{"Authorization": "HMAC {}"}}': 'headers: {{"Authorization": "HMAC [masked]"}}',
    "Proxy-Authorization: {}": "Proxy-Authorization: [masked]",
    "sent Bearer {} and got 401": "sent Bearer [masked] and got 401",
    "login with password={}; timeout=30": "login with password=[masked]; timeout=30",
    "Server=db;Uid=sa;Pwd={};Encrypt=yes": "Server=db;Uid=sa;Pwd=[masked];Encrypt=yes",
    "user: bot, password: {}": "user: bot, password: [masked]",
    '{{"user": "bot", "password": "{}", "n": 1}}': '{{"user": "bot", "password": "[masked]", "n": 1}}',
    'body {{\\"apiKey\\": \\"{}\\"}}': 'body {{\\"apiKey\\": \\"[masked]\\"}}',
    "the cut off json 'secret': '{}": "the cut off json 'secret': '[masked]",
    "GET /x?token={}&page=1 gave 500": "GET /x?token=[masked]&page=1 gave 500",
    "client_secret => {}": "client_secret => [masked]",
    "X-Api-Key: {}": "X-Api-Key: [masked]",
    "Invalid token: {}": "Invalid token: [masked]",
    "https://bot:{}@api.example.com/v1 refused": "https://bot:[masked]@api.example.com/v1 refused",
    "jdbc:sqlserver://:{}@db:1433": "jdbc:sqlserver://:[masked]@db:1433",
    "Cookie: session={}; theme=dark": "Cookie: [masked]",
    "the API key is 0123456789abcdef{} and is unknown": "the API key is [masked] and is unknown",
    "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----": "[masked]",
    "-----BEGIN PRIVATE KEY-----\n{} cut": "[masked]",
    "see https://ghp0123456789abcdef{}@github.example/x": "see https://[masked]@github.example/x",
}

ORDINARY = [
    "Connection refused",
    "Login failed for user 'warehouse_user'.",
    "HTTP 401: Unauthorized",
    "Basic Authentication failed",
    "Bearer token expired",
    "Invalid token: expired",
    "Unexpected token: }",
    "The password must be changed",
    "Wrong password: too short.",
    "Authorization failed for /api/orders",
    "Violation of PRIMARY KEY constraint 'PK_orders'. Cannot insert duplicate key in object 'dbo.orders'.",
    "Timeout after 30000 ms at https://api.example.com:8443/v1/orders?page=2&limit=50",
    "ORA-12541: TNS:no listener",
    "java.net.ConnectException: Connection timed out (host=10.0.0.7, port=1433)",
    "Request 550e8400-e29b-41d4-a716-446655440000 failed",
    "mail to service@example.com bounced",
    "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer certificate",
    '{"error": "not_found", "path": "/orders/17"}',
    'password: ""',
]

secrets_ = st.builds(
    "".join,
    st.tuples(st.text(string.ascii_letters + string.digits, min_size=10, max_size=30), st.just("x9Zq")),
)


@pytest.mark.parametrize("template", LEAKS)
@settings(unhurried, max_examples=20)
@given(secret=secrets_)
def test_credentials_are_hidden_and_the_rest_stays(template: str, secret: str) -> None:
    masked = mask(template.format(secret))

    assert masked == LEAKS[template].replace("{{", "{").replace("}}", "}")


@pytest.mark.parametrize(
    "credential",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib3QifQ.c2lnbmF0dXJl",
        "xoxb-1234567890-abcdefghij",
        "xapp-1-A0123-456-abcdef",
        "ghp_0123456789abcdefghij0123",
        "AKIA0123456789ABCDEF",
        "sk-0123456789abcdefghij",
    ],
)
def test_credentials_of_a_known_shape_are_hidden_wherever_they_stand(credential: str) -> None:
    assert mask(f"request with {credential} failed") == f"request with {MASK} failed"


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_errors_are_untouched(text: str) -> None:
    assert mask(text) == text


MARKS = (
    "password",
    "token",
    "=",
    ":",
    " ",
    "'",
    '"',
    "\\",
    "\n",
    "Bearer",
    "Basic",
    "://",
    "@",
    "key",
    "cookie",
    ";",
    "a",
    "A1",
)
VALUES = ("0123456789abcdef01234567", "Authorization", MASK, "-----BEGIN PRIVATE KEY-----", "eyJabcdef.abcdef")
QUOTED = tuple(template.replace("{}", "s3cretValue").replace("{{", "{") for template in LEAKS)
fragments = st.sampled_from([*QUOTED, *ORDINARY, *MARKS, *VALUES])


@unhurried
@given(st.one_of(st.text(), st.lists(fragments, max_size=12).map("".join)))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    once = mask(text)

    assert mask(once) == once


@unhurried
@given(st.text(" abcdefghijklmnopqrstuvwxyz.,", max_size=200))
def test_plain_prose_is_untouched(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize("run", ["eyJ", "a-", "authorization: "])
def test_a_long_text_takes_no_longer_than_its_length(run: str) -> None:
    """Whoever names things in ItemPath must not be able to hold up the bot: at their square, these take minutes."""
    started = time.process_time()
    mask(run * (100_000 // len(run)))

    assert time.process_time() - started < 5
