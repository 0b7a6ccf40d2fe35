from __future__ import annotations

from pathlib import Path

import pytest

from bot.store.address import Address
from bot.store.errors import UnsuitableUrl


def test_three_slashes_are_relative_and_four_absolute() -> None:
    assert Address.parse("sqlite:///data/bot.db").path == Path("data/bot.db")
    assert Address.parse("sqlite:////var/lib/bot.db").path == Path("/var/lib/bot.db")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_server_is_named_without_user_and_password(scheme: str) -> None:
    address = Address.parse(f"{scheme}://ann:s3cret@db.example:5433/bot?sslmode=require")
    assert str(address) == "The PostgreSQL database bot on db.example"
    assert "s3cret" not in repr(address)
    assert address.path is None
    assert address.url.drivername == "postgresql+asyncpg"
    assert address.url.query == {"ssl": "require"}


def test_a_server_may_be_reached_through_a_socket() -> None:
    assert str(Address.parse("postgresql:///bot?host=/run/pg")) == "The PostgreSQL database bot on /run/pg"
    assert str(Address.parse("postgresql:///bot")) == "The PostgreSQL database bot on this machine"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3cret", "is not a database URL"),
        ("postgresql://ann:s3cret@host:s3cret/bot", "is not a database URL"),
        ("mysql://ann:s3cret@host/bot", "`mysql`"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///file:bot.db", "must name a file"),
        ("sqlite:///bot.db?mode=ro", "must name a file"),
        ("sqlite://data/bot.db", "must name a file"),
        ("postgresql://ann:s3cret@host", "names no database"),
        ("postgresql://ann:s3cret@host/bot?sslmode=perhaps", "`perhaps`"),
        ("postgresql://ann@host/bot?password=s3cret", "`password`"),
        ("postgresql://ann:pass@s3cret@host/bot", "more than one @"),
        ("postgresql://ann:1/a?x@s3cret=b@host/bot", "more than one @"),
    ],
)
def test_what_cannot_be_used_is_said_without_its_secrets(url: str, said: str) -> None:
    with pytest.raises(UnsuitableUrl, match=said) as caught:
        Address.parse(url)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert caught.value.advice
