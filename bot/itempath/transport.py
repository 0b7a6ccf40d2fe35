"""One HTTP exchange with one ItemPath server, bounded in time and size.

Every way in which no whole reply comes is `Unreachable`, `TimedOut`, `TooLarge` or `NotItemPath`; what a reply means is
not decided here. Proxies named in the environment (`HTTPS_PROXY`, `NO_PROXY`, …) are honoured, except for loopback
addresses; `.netrc` is not read for the server, for it would displace the token.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.request import getproxies, proxy_bypass

import aiohttp
from yarl import URL

from bot.clock import Clock
from bot.itempath.errors import ItemPathError, NotItemPath, TimedOut, TooLarge, Unreachable, excerpt
from bot.itempath.replies import Reply, read_retry_after

_CHUNK = 64 * 1024
_REDIRECTS = 3
_KEEP_ALIVE = 120.0
"""Seconds; longer than the usual poll interval, so that polls share one connection."""
PARALLEL = 4
"""Connections at most: a poll that hangs must not keep a person's question waiting."""
_PROXY_ADVICE = "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY in the bot's environment."


def bare(url: URL) -> str:
    """An absolute address fit for a message: without credentials, query and fragment."""
    return str(url.with_user(None).with_query(None).with_fragment(None))


class Transport:
    """A session with one server; opened by the first exchange, closed by `close`."""

    def __init__(
        self,
        *,
        base: URL,
        ca_file: str | Path | None,
        verify_tls: bool,
        timeout: float,
        max_body: int,
        user_agent: str,
        trust_env: bool,
        clock: Clock,
    ) -> None:
        """`timeout` is in seconds for one exchange, `max_body` in bytes after decompression."""
        self._base = base
        self._ca_file = ca_file
        self._verify_tls = verify_tls
        self._timeout = timeout
        self._max_body = max_body
        self._user_agent = user_agent
        self._trust_env = trust_env
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None
        self._proxy: URL | None = None
        self._proxy_headers: dict[str, str] | None = None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def exchange(
        self,
        method: str,
        url: URL,
        *,
        deadline: float,
        headers: Mapping[str, str] | None = None,
        json: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request and the whole of its reply, before `deadline` (in the event loop's time).

        A GET follows a redirect within the same scheme, host and port; any other redirect is handed back as it is, for
        the token goes nowhere else.
        """
        left = min(self._timeout, deadline - asyncio.get_running_loop().time())
        try:
            async with asyncio.timeout(left):
                for _ in range(_REDIRECTS):
                    reply, target = await self._once(method, url, headers, json)
                    if target is None or method != "GET" or target.origin() != url.origin():
                        break
                    url = target
                return reply
        except TimeoutError:
            raise TimedOut(f"No whole answer came within {max(left, 0.0):.1f} s.", url=bare(url)) from None
        except aiohttp.ClientHttpProxyError as error:
            raise Unreachable(
                f"The proxy on the way to {url.host}:{url.port} refused ({error.status}).",
                advice=_PROXY_ADVICE,
                url=bare(url),
            ) from None
        except aiohttp.ClientResponseError:
            # Its text and its request may hold headers: neither is passed on, here and below.
            raise NotItemPath("The server does not answer in HTTP that can be read.", url=bare(url)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise _unreachable(error, url) from None
        except ValueError:
            raise Unreachable(
                f"No request to {url.host} can be made as things are set up.",
                advice="Check `url`, and HTTP_PROXY and HTTPS_PROXY in the bot's environment (only http:// proxies work).",
                url=bare(url),
                permanent=True,
            ) from None

    async def _once(
        self, method: str, url: URL, headers: Mapping[str, str] | None, json: Mapping[str, str] | None
    ) -> tuple[Reply, URL | None]:
        session = self._open()
        async with session.request(
            method,
            url,
            headers=headers,
            json=json,
            allow_redirects=False,
            proxy=self._proxy,
            proxy_headers=self._proxy_headers,
        ) as response:
            body = await self._body(response, url)
            target = _target(url, response.headers.get("Location"), response.status)
            return Reply(
                status=response.status,
                url=bare(url),
                body=body,
                content_type=response.headers.get("Content-Type", ""),
                location=bare(target) if target is not None else "",
                retry_after=read_retry_after(
                    response.headers.get("Retry-After"), date=response.headers.get("Date"), now=self._clock.now()
                ),
            ), target

    async def _body(self, response: aiohttp.ClientResponse, url: URL) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._max_body:
                response.close()  # or the rest would be read before the connection is used again
                raise TooLarge(f"The reply is larger than {self._max_body} bytes.", url=bare(url))
        return bytes(body)

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Accept": "application/json", "User-Agent": self._user_agent}
            if self._trust_env:
                headers |= self._use_proxy()
            connector = aiohttp.TCPConnector(ssl=self._tls(), limit=PARALLEL, keepalive_timeout=_KEEP_ALIVE)
            self._session = aiohttp.ClientSession(
                connector=connector,
                timeout=aiohttp.ClientTimeout(total=None),  # `exchange` bounds the whole
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=headers,
            )
        return self._session

    def _use_proxy(self) -> dict[str, str]:
        """Set the proxy up; gives the headers that every request through it needs."""
        host = self._base.host or ""
        given = getproxies().get(self._base.scheme)
        if not given or _is_loopback(host) or proxy_bypass(host):
            return {}
        proxy = URL(given if "://" in given else f"http://{given}")
        self._proxy = proxy.with_user(None)
        if proxy.user is None:
            return {}
        credentials = {"Proxy-Authorization": aiohttp.encode_basic_auth(proxy.user, proxy.password or "")}
        if self._base.scheme == "http":
            return credentials
        self._proxy_headers = credentials  # said to the proxy when the tunnel is opened, and not to the server
        return {}

    def _tls(self) -> ssl.SSLContext | bool:
        if not self._verify_tls:
            return False
        if self._ca_file is None:
            return True
        context = ssl.create_default_context()
        try:
            context.load_verify_locations(cafile=self._ca_file)
        except OSError as error:  # SSLError is one
            raise Unreachable(
                f"The certificate authority in `ca_file` cannot be read: {excerpt(error.strerror or str(error))}.",
                advice="`ca_file` must be the path of a readable file of PEM certificates.",
                url=bare(self._base),
                permanent=True,
            ) from None
        return context


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _target(url: URL, location: str | None, status: int) -> URL | None:
    if location is None or not 300 <= status < 400:
        return None
    try:
        target = url.join(URL(location))
        return target if target.host else None
    except ValueError:
        return None


def _unreachable(error: Exception, url: URL) -> ItemPathError:  # noqa: PLR0911 - a table reads best as one
    """An exception of the network in words, each with what to do about it."""
    where = f"{url.host}:{url.port}"
    reason = getattr(error, "os_error", error)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        verdict = getattr(error.certificate_error, "verify_message", None) or str(error.certificate_error)
        return Unreachable(
            f"The TLS certificate of {where} is not trusted: {excerpt(verdict)}.",
            advice="If it comes from a private certificate authority, set the site's `ca_file` to its PEM file; otherwise"
            " mend the certificate, or its name, on the server.",
            url=bare(url),
            permanent=True,
        )
    if isinstance(error, aiohttp.ClientSSLError):
        return Unreachable(
            f"No TLS connection can be agreed on with {where}.",
            advice="If the server speaks plain HTTP, write its `url` with http://.",
            url=bare(url),
            permanent=True,
        )
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return Unreachable(
            f"The proxy on the way to {where} cannot be reached.",
            advice=_PROXY_ADVICE,
            url=bare(url),
        )
    if isinstance(reason, socket.gaierror):
        return Unreachable(
            f"The name {url.host} cannot be resolved (DNS).",
            advice="Check the spelling of `url` and this machine's name server.",
            url=bare(url),
        )
    if isinstance(reason, ConnectionRefusedError):
        return Unreachable(
            f"{where} refuses the connection: nothing listens there.",
            advice="Check that ItemPath runs and that the port in `url` is right.",
            url=bare(url),
        )
    if isinstance(error, aiohttp.ClientConnectorError):
        return Unreachable(f"{where} cannot be connected to: {_words(reason)}.", url=bare(url))
    if isinstance(error, aiohttp.ClientPayloadError):
        return Unreachable(f"{where} broke off in the middle of its answer, or garbled it.", url=bare(url))
    return Unreachable(f"{where} closed the connection without an answer.", url=bare(url))


def _words(error: Any) -> str:
    return excerpt(getattr(error, "strerror", None) or type(error).__name__)
