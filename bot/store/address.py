"""Where the database is, without ever showing its password."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from bot.store.errors import UnsuitableUrl

_ADVICE = "Write `sqlite:///data/bot.db` (four slashes for an absolute path) or `postgresql://user:password@host/name`."

_QUERY = {"host": "host", "port": "port", "sslmode": "ssl", "ssl": "ssl"}
"""What may stand behind the `?`, as libpq spells it and as asyncpg takes it."""

_TLS = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


@dataclass(frozen=True, slots=True)
class Address:
    """A database the bot can use. Its text names it without user or password."""

    url: URL = field(repr=False)
    """With the asynchronous driver."""
    path: Path | None
    """The file, for SQLite."""

    @classmethod
    def parse(cls, url: str) -> Address:
        """Raises `UnsuitableUrl`; a URL that cannot be understood is not repeated, since it may hold a password."""
        try:
            parsed = make_url(url)
        except (ArgumentError, ValueError):
            # `from None`: the parser quotes pieces of the URL.
            raise UnsuitableUrl("`database_url` is not a database URL.", _ADVICE) from None
        # Of a password with an @ in it, the rest would pass for a host, a database or a parameter, and be shown.
        if parsed.drivername != "sqlite" and url.count("@") > 1:
            raise UnsuitableUrl("`database_url` has more than one @.", "Write an @ in a password as %40.")
        match parsed.drivername:
            case "sqlite":
                return cls._file(parsed)
            case "postgresql" | "postgres":
                return cls._server(parsed)
            case other:
                raise UnsuitableUrl(f"`database_url` names `{other}`, which the bot cannot use.", _ADVICE)

    @classmethod
    def _file(cls, url: URL) -> Address:
        if url.host is not None or url.query or not url.database or url.database.startswith((":", "file:")):
            raise UnsuitableUrl("`database_url` must name a file: what the bot knows has to outlive it.", _ADVICE)
        return cls(url.set(drivername="sqlite+aiosqlite"), Path(url.database))

    @classmethod
    def _server(cls, url: URL) -> Address:
        if not url.database:
            raise UnsuitableUrl("`database_url` names no database.", _ADVICE)
        if unknown := sorted(set(url.query) - set(_QUERY)):
            known = ", ".join(f"`{name}`" for name in _QUERY)
            raise UnsuitableUrl(
                f"`database_url` has a parameter that is not known: `{unknown[0]}`.", f"Known: {known}."
            )
        if (tls := url.query.get("sslmode", url.query.get("ssl", "prefer"))) not in _TLS:
            raise UnsuitableUrl(f"`database_url` asks for `{tls}` as `sslmode`.", f"Known: {', '.join(_TLS)}.")
        query: dict[str, Any] = {_QUERY[name]: value for name, value in url.query.items()}
        return cls(url.set(drivername="postgresql+asyncpg", query=query), None)

    def __str__(self) -> str:
        if self.path is not None:
            return f"The database file {self.path}"
        host = self.url.host or self.url.query.get("host") or "this machine"
        return f"The PostgreSQL database {self.url.database} on {host}"
