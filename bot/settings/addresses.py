"""Addresses: of ItemPath, of Slack, of the database, and of the bot's own HTTP server.

As in `values`, no refusal repeats what was given, as an address may hold a password; but for the path of a file.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from yarl import URL


@dataclass(frozen=True, slots=True)
class Listen:
    """Where the HTTP server listens."""

    host: str | None
    """An address or a host name without brackets; `None` is every interface, IPv4 and IPv6."""
    port: int
    """0 lets the system choose."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if self.host and ":" in self.host else self.host or ""
        return f"{host}:{self.port}"


def parse_site_url(value: object) -> str:
    """An ItemPath server; returned without a trailing `/` or `/api`, so that callers append `/api/…`."""
    parts = _http_url(value, example="https://customer.itempath.com")
    path = parts.path.rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path.removesuffix('/api').rstrip('/')}"


def parse_api_url(value: object) -> str:
    """Slack's Web API; returned with one trailing `/`, as slack-sdk wants it."""
    parts = _http_url(value, example="https://slack.com/api/")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"


def _http_url(value: object, *, example: str) -> SplitResult:
    if not isinstance(value, str):
        raise ValueError(f"write an address in quotes, e.g. {example}")  # noqa: TRY004
    text = value.strip()
    parts = _split(text, example)
    if "://" not in text:
        raise ValueError(f"the scheme is missing; write http:// or https:// in front, e.g. {example}")
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"only http:// and https:// are possible, e.g. {example}")
    if "@" in parts.netloc:
        raise ValueError("an address must not hold credentials; remove what stands before the @ and set them apart")
    if not parts.hostname or re.search(r"[\s\x00-\x1f<>\"]", text) or not _has_a_host(text):
        raise ValueError(f"this is not an address; write e.g. {example}")
    if parts.query or parts.fragment or text.endswith(("?", "#")):
        raise ValueError("remove everything from the ? or # on")
    return parts


def _has_a_host(text: str) -> bool:
    """As those who connect to it will see it: not every text can be the name of one."""
    try:
        URL(text)
    except ValueError:
        return False
    return True


def _split(text: str, example: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for a port that is none
    except ValueError:
        raise ValueError(f"host or port cannot be read; write e.g. {example}") from None
    return parts


_FILE = re.compile(r"[\w./-]+\.(?:db|sqlite3?)", re.ASCII | re.IGNORECASE)
_SERVER = "postgresql://user:password@host:5432/name"
_ENCODED = (
    "in a user name or password write @ as %40, / as %2F, # as %23, : as %3A, ? as %3F, % as %25 and a blank as %20"
)
_UNENCODED = re.compile(r"[@/#?\[\]\s]|%(?![0-9A-Fa-f]{2})")


def is_path(text: str) -> bool:
    """Whether it can be nothing but the path of a database file, and so holds no secret."""
    return _FILE.fullmatch(text) is not None


def parse_database_url(value: object) -> str:
    """`sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user:password@host:5432/name`."""
    wanted = f"write sqlite:///data/bot.db or {_SERVER}"
    if not isinstance(value, str):
        raise ValueError(wanted)  # noqa: TRY004
    text = value.strip()
    scheme, separator, rest = text.partition("://")
    if "\0" in text:
        raise ValueError(f"no name may hold a NUL; {wanted}")
    if is_path(text):
        raise ValueError(f"this is a path and no address; write sqlite:///{text}")
    if not separator or scheme.partition("+")[0] not in {"sqlite", "postgresql", "postgres"}:
        raise ValueError(f"unknown kind of database; {wanted}")
    if scheme not in {"sqlite", "postgresql"}:
        raise ValueError("name no driver and write it out: sqlite:///… or postgresql://…")
    if scheme == "sqlite":
        path = rest.partition("?")[0]
        if path in {"", "/", "/:memory:"}:
            raise ValueError("a database in memory forgets everything at a restart; write sqlite:///data/bot.db")
        if not path.startswith("/"):
            raise ValueError("three slashes before a relative path, four before an absolute one: sqlite:///data/bot.db")
    else:
        _check_server(rest, _split(text, f"{_SERVER}; {_ENCODED}"))
    return text


def _check_server(rest: str, parts: SplitResult) -> None:
    # What stands before the last @ is a person's; with one of these in it, others would take a part of it for the host or
    # the database, and show it.
    user_info = rest.rpartition("@")[0]
    if _UNENCODED.search(user_info):
        raise ValueError(f"it cannot be told where the password ends; {_ENCODED}")
    if len(parts.path) < 2:
        raise ValueError(f"the name of the database is missing; write {_SERVER}")


def database_passwords(url: str) -> tuple[str, ...]:
    """The password inside a valid database address: decoded, and as it stands there."""
    parts = urlsplit(url)
    if parts.password:
        return tuple(dict.fromkeys((unquote(parts.password), parts.password)))
    return tuple(parse_qs(parts.query).get("password", ()))


def database_label(url: str) -> str:
    """A valid database address as it may be shown: no password, no parameters (they may hold one)."""
    scheme, _, rest = url.partition("://")
    address = rest.partition("?")[0]
    user_info, at, location = address.rpartition("@") if scheme != "sqlite" else ("", "", address)
    return f"{scheme}://{user_info.partition(':')[0]}{at}{location}"


def parse_listen(value: object) -> Listen:
    """`127.0.0.1:8080`, `:8080` (every interface), `[::1]:8080`."""
    if isinstance(value, Listen):
        return value
    wanted = "write host:port, e.g. 127.0.0.1:8080, :8080 for every interface, or [::1]:8080"
    if not isinstance(value, str):
        raise ValueError(wanted)  # noqa: TRY004
    host, separator, port = value.strip().rpartition(":")
    if not separator or not re.fullmatch(r"\d{1,5}", port, re.ASCII):
        raise ValueError(wanted)
    if int(port) > 65535:
        raise ValueError("a port is a number from 0 to 65535")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            raise ValueError("what stands in brackets is no IPv6 address; write e.g. [::1]:8080") from None
    elif ":" in host:
        raise ValueError("an IPv6 address stands in brackets: write e.g. [::1]:8080")
    elif host and not re.fullmatch(r"[A-Za-z0-9._-]+", host):
        raise ValueError(wanted)
    return Listen(host or None, int(port))
