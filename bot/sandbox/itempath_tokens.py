"""The tokens of a simulated ItemPath: real JWTs (HS256), so that a client can read `exp` out of them.

ItemPath's refusals look like those of flask-jwt-extended (https://flask-jwt-extended.readthedocs.io/), whose statuses and
texts are kept here: 401 for a missing, expired or revoked token, 422 for one that cannot be read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

Kind = Literal["access", "refresh"]


class TokenRefused(Exception):
    """The status and the `msg` to answer with."""

    def __init__(self, status: int, msg: str) -> None:
        super().__init__(msg)
        self.status = status
        self.msg = msg


class TokenIssuer:
    """Issues tokens and judges `Authorization` headers."""

    def __init__(self, *, now: Callable[[], datetime], application_token: str | None = None) -> None:
        """Without an `application_token`, one is made: a JWT without `exp`."""
        self._now = now
        self._key = secrets.token_bytes(32)
        self._alive: set[str] = set()
        self.application_token = application_token or self._sign("access", "application", expires=None)

    def issue(self, kind: Kind, subject: str, *, seconds: float) -> tuple[str, datetime]:
        """A token and the moment from which it is refused; `exp` counts whole seconds, as JWTs of ItemPath's kind do."""
        expires = int(self._now().timestamp() + seconds)
        return self._sign(kind, subject, expires=expires), datetime.fromtimestamp(expires, UTC)

    def revoke(self) -> None:
        """From now on every token issued at a login is refused with 401; application tokens stay good."""
        self._alive.clear()

    def check(self, header: str | None, kind: Kind) -> str:
        """The subject of the token in an `Authorization` header. Raises `TokenRefused`."""
        if header is None:
            raise TokenRefused(401, "Missing Authorization Header")
        scheme, _, token = header.partition(" ")
        if scheme != "Bearer" or not token or " " in token:
            raise TokenRefused(422, "Bad Authorization header. Expected 'Authorization: Bearer <JWT>'")
        if kind == "access" and hmac.compare_digest(token.encode(), self.application_token.encode()):
            return "application"
        claims = self._claims(token)
        expires = claims["exp"]
        if expires is not None and self._now().timestamp() >= expires:
            raise TokenRefused(401, "Token has expired")
        if claims["type"] != kind:
            raise TokenRefused(
                422, "Only refresh tokens are allowed" if kind == "refresh" else "Only non-refresh tokens are allowed"
            )
        if claims["jti"] not in self._alive:
            raise TokenRefused(401, "Token has been revoked")
        return str(claims["sub"])

    def _sign(self, kind: Kind, subject: str, *, expires: int | None) -> str:
        issued = int(self._now().timestamp())
        jti = secrets.token_hex(16)
        claims = {
            "fresh": False,
            "iat": issued,
            "jti": jti,
            "type": kind,
            "sub": subject,
            "nbf": issued,
            "exp": expires,
        }
        if expires is None:
            del claims["exp"]
        self._alive.add(jti)
        signed = f"{_encode({'alg': 'HS256', 'typ': 'JWT'})}.{_encode(claims)}"
        return f"{signed}.{self._signature(signed)}"

    def _signature(self, signed: str) -> str:
        return _base64url(hmac.new(self._key, signed.encode(), hashlib.sha256).digest())

    def _claims(self, token: str) -> dict[str, Any]:
        signed, _, signature = token.rpartition(".")
        if signed.count(".") != 1:
            raise TokenRefused(422, "Not enough segments")
        if not hmac.compare_digest(self._signature(signed).encode(), signature.encode()):
            raise TokenRefused(422, "Signature verification failed")
        # The signature is ours, so the claims are.
        claims: dict[str, Any] = {"exp": None} | read_claims(token)
        return claims


def read_claims(token: str) -> dict[str, Any]:
    """What a JWT says, unverified. Raises `ValueError` when it is none."""
    try:
        _, payload, _ = token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (ValueError, binascii.Error) as error:
        raise ValueError("not a JWT") from error
    if not isinstance(claims, dict):
        raise ValueError("not a JWT")  # noqa: TRY004 -- one error for every text that is no token
    return claims


def _encode(part: dict[str, Any]) -> str:
    return _base64url(json.dumps(part, separators=(",", ":")).encode())


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
