"""Certificates, as only a real socket shows them."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.itempath.errors import Unreachable
from tests.itempath.asking import ROWS, a_client, failure


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate of our own making for 127.0.0.1, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "ca.pem", folder / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=private authority", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key


@asynccontextmanager
async def serving_https(certificate: Path, key: Path) -> AsyncIterator[str]:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=ROWS)

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    app = web.Application()
    app.router.add_get("/api/connections", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    try:
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def https(authority: tuple[Path, Path]) -> AsyncIterator[str]:
    async with serving_https(*authority) as address:
        yield address


async def test_a_private_authority_is_trusted_by_its_file(https: str, authority: tuple[Path, Path]) -> None:
    async with a_client(https, ca_file=authority[0]) as client:
        assert len((await client.connections()).connections) == 1


async def test_a_certificate_of_unknown_origin_is_refused_with_the_way_out(https: str) -> None:
    error = await failure(https)
    assert type(error) is Unreachable
    assert "certificate" in error.message
    assert "self-signed" in error.message
    assert "ca_file" in error.advice
    assert error.permanent


@pytest.fixture
def expired(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that was good until yesterday, and its key."""
    certificate, key, request = tmp_path / "old.pem", tmp_path / "key.pem", tmp_path / "request.pem"
    made = ("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    named = ("-subj", "/CN=old", "-addext", "subjectAltName=IP:127.0.0.1")
    subprocess.run([*made, *named, "-keyout", key, "-out", request], check=True, capture_output=True)
    signed = ("openssl", "x509", "-req", "-days", "-1", "-copy_extensions", "copy")
    subprocess.run([*signed, "-in", request, "-signkey", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


async def test_a_certificate_that_has_expired_is_refused_although_its_authority_is_trusted(
    expired: tuple[Path, Path],
) -> None:
    async with serving_https(*expired) as address:
        error = await failure(address, ca_file=expired[0])
    assert type(error) is Unreachable
    assert "certificate has expired" in error.message
    assert error.permanent


async def test_verification_can_be_turned_off(https: str) -> None:
    async with a_client(https, verify_tls=False) as client:
        assert len((await client.connections()).connections) == 1


async def test_a_certificate_for_another_name_is_refused(https: str, authority: tuple[Path, Path]) -> None:
    error = await failure(https.replace("127.0.0.1", "localhost"), ca_file=authority[0])
    assert "localhost" in error.message
    assert error.permanent


async def test_plain_http_where_tls_is_expected_says_so(serve: Any) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(body=ROWS)

    error = await failure((await serve(handler)).replace("http:", "https:"))
    assert type(error) is Unreachable
    assert "TLS" in error.message
    assert "http://" in error.advice


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_ca_file_that_cannot_be_read_says_so(content: str | None, https: str, tmp_path: Path) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    error = await failure(https, ca_file=ca_file)
    assert "ca_file" in error.message
    assert "PEM" in error.advice
    assert error.permanent
