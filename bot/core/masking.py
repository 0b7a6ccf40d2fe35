"""Credentials in foreign text: what looks like one is hidden before anybody sees it.

An error may quote the request that failed, and with it a header, an address or a connection string of another system.
Masking errs on the hidden side where a credential is named, and leaves prose alone: `Invalid token: expired` says what
is wrong, `token=expired` may be one.
"""

from __future__ import annotations

import re

MASK = "[masked]"

_NAMES = (
    r"(?:pass(?:word|wd|phrase|code)|pwd|secret|token|credentials?|signature|cookie"
    r"|(?:api|access|private|account|auth|shared|session|subscription)[ _-]?key|session[_-]?id|\bsig)"
)

_KEY_BLOCK = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_COOKIE = re.compile(r"(?i)\b((?:set-)?cookie\s*:[ \t]*)[^\r\n]+")
_AUTHORIZATION = re.compile(
    r"""(?ix)\b(authorization\\?["']?\s*[:=]\s*\\?["']?\s*)   # also `Proxy-Authorization`, and as a key of JSON
    ((?:bearer|basic|digest|hmac|token|negotiate|ntlm|apikey|aws4-hmac-sha256)\s+)?
    [^\s"'\\,;}]+"""
)
# What follows `Basic` or `Bearer` is a credential if it does not read like a word: `Basic Authentication failed` stays.
_SCHEME = re.compile(r"\b((?i:bearer|basic)\s+)(?=[\w.~+/=-]*(?:\d|=|[a-z][A-Z]))[\w.~+/=-]{8,}")
_USER_INFO = re.compile(r"(://[^\s/?#@:\"'<>]*:)[^\s/?#\"'<>]+(?=@)")
_TOKEN_HOST = re.compile(r"(://)[^\s/?#@:\"'<>]{20,}(?=@)")
_KNOWN_SHAPES = re.compile(
    r"(?<![\w-])(?>[\w-]*?eyJ)[\w-]{5,}+\.[\w-]{5,}+(?:\.[\w-]*)?"  # a JSON web token
    r"|\bxox[a-z]-[\w-]{6,}|\bxapp-[\w-]{6,}"
    r"|\bgh[a-z]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}"
    r"|\bA(?:KIA|SIA)[0-9A-Z]{16}\b|\bsk[-_][\w-]{20,}"
)
_PAIR = re.compile(
    rf"""(?ix)(?P<key>{_NAMES}s?)(?P<between>\\?["']?\s*(?:=>|[=:])[^\S\r\n]*)
    (?:(?P<quote>\\?["'])(?P<inside>.*?)(?P<end>(?P=quote)|$)|(?P<bare>[^\s,;&"'<>(){{}}\\]+))""",
    re.MULTILINE,
)
_LONG_KEY = re.compile(
    r"(?i)((?:key|token|secret|password|credential|signature)s?\b['\"]?[\s:=(]+(?:is\s+|was\s+)?['\"]?)"
    r"(?=[\w+/=-]*\d)[\w+/=-]{20,}"
)
_KNOWN_BY_ITS_END = re.compile(r"://|eyJ|\b(?i:bearer|basic)\s")
_READS_LIKE_A_WORD = re.compile(r"[A-Za-z]?[a-z]{0,19}[.!?]?")


def mask(text: str) -> str:
    """`text` with `[masked]` in place of every credential found in it. Masking twice changes nothing more."""
    text = _KEY_BLOCK.sub(MASK, text)
    text = _COOKIE.sub(rf"\1{MASK}", text)
    text = _AUTHORIZATION.sub(rf"\1\2{MASK}", text)
    text = _SCHEME.sub(rf"\1{MASK}", text)
    text = _USER_INFO.sub(rf"\1{MASK}", text)
    text = _TOKEN_HOST.sub(rf"\1{MASK}", text)
    text = _KNOWN_SHAPES.sub(MASK, text)
    text = _PAIR.sub(_mask_pair, text)
    return _LONG_KEY.sub(rf"\1{MASK}", text)


def may_go_on(text: str) -> bool:
    """Whether `text`, the beginning of a longer one, may hold the beginning of a credential that is known by its end
    only: a user and password before the `@` of an address, a JSON web token, a word that turns out to be none.
    """
    return _KNOWN_BY_ITS_END.search(text) is not None


def _mask_pair(found: re.Match[str]) -> str:
    name = found["key"] + found["between"]
    if found["quote"] is not None:
        return f"{name}{found['quote']}{MASK}{found['end']}" if found["inside"] else found[0]
    # A colon after a word in a sentence explains what is wrong; after a bare name it gives its value.
    in_a_sentence = re.search(r"[\w\]]\s\Z", found.string[max(0, found.start() - 2) : found.start()]) is not None
    explains = found["between"].endswith((" ", "\t")) and "=" not in found["between"]
    if in_a_sentence and explains and _READS_LIKE_A_WORD.fullmatch(found["bare"]):
        return found[0]
    return name + MASK
