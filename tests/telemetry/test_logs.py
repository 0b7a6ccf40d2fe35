"""What stands in a log line, and what never does."""

from __future__ import annotations

import io
import json
import logging
import re
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from bot.telemetry import Format, Redactor, StateLog, configure_logging
from tests.telemetry.restored import restored

SECRET = "correct horse/battery+staple"
NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

Lines = Callable[[], list[dict[str, Any]]]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    with restored():
        yield


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def lines(stream: io.StringIO) -> Lines:
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def fail(*words: str) -> None:
    raise RuntimeError(*words)


def log() -> Any:
    return structlog.get_logger("bot.poller")


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("", "")])
def test_a_terminal_that_shall_be_plain_gets_no_colour(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    if name:
        monkeypatch.setenv(name, value)
    terminal = Terminal()
    configure_logging(format="console", stream=terminal)
    log().warning("odd", site="vienna")

    assert ("\x1b" in terminal.getvalue()) is not bool(name)


def test_json_lines_carry_time_level_logger_and_fields(stream: io.StringIO, lines: Lines) -> None:
    configure_logging(format="json", stream=stream)
    structlog.contextvars.bind_contextvars(site="vienna")

    log().info(
        "polled", seconds=0.25, at=NOW, ok=True, nothing=None, ids=(1, "two"), share=float("nan"), kind=ValueError
    )

    (line,) = lines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z", line.pop("timestamp"))
    assert line == {
        "event": "polled",
        "level": "info",
        "logger": "bot.poller",
        "site": "vienna",
        "seconds": 0.25,
        "at": "2026-11-24T12:00:00+00:00",
        "ok": True,
        "nothing": None,
        "ids": [1, "two"],
        "share": "nan",
        "kind": "<class 'ValueError'>",
    }


def test_libraries_take_the_same_way(stream: io.StringIO, lines: Lines) -> None:
    configure_logging(format="json", stream=stream, secrets=[SECRET])

    logging.getLogger("slack_sdk.web").warning("refused with %s", SECRET)
    logging.getLogger("slack_sdk.web").info("not of interest")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("outworn", stacklevel=1)

    refused, outworn = lines()
    assert (refused["event"], refused["level"], refused["logger"]) == ("refused with ***", "warning", "slack_sdk.web")
    assert outworn["logger"] == "py.warnings"


@pytest.mark.parametrize(
    ("level", "own", "foreign"),
    [
        ("debug", "debug", "info"),
        ("info", "info", "warning"),
        ("warning", "warning", "warning"),
        ("error", "error", "error"),
    ],
)
def test_a_level_is_meant_for_the_bot_and_libraries_are_quieter(
    stream: io.StringIO, lines: Lines, level: str, own: str, foreign: str
) -> None:
    configure_logging(format="json", level=level, stream=stream)

    for name in ("debug", "info", "warning", "error"):
        getattr(log(), name)("said")
        getattr(logging.getLogger("aiohttp"), name)("said")

    told = [(line["logger"], line["level"]) for line in lines()]
    assert next(level for logger, level in told if logger == "bot.poller") == own
    assert next(level for logger, level in told if logger == "aiohttp") == foreign


def test_configuring_again_replaces_the_way_and_does_not_double_it(stream: io.StringIO, lines: Lines) -> None:
    configure_logging(format="json", stream=io.StringIO())
    configure_logging(format="json", stream=stream)

    log().info("once")

    assert len(lines()) == 1


def test_without_a_format_a_terminal_gets_console_and_a_pipe_json(stream: io.StringIO) -> None:
    terminal = Terminal()
    configure_logging(stream=terminal)
    log().info("polled", site="vienna")
    configure_logging(stream=stream)
    log().info("polled", site="vienna")

    assert "\x1b[" in terminal.getvalue()
    assert json.loads(stream.getvalue())["site"] == "vienna"


def test_logs_go_to_standard_error_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(format="console")

    log().info("polled", site="vienna")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(r"\S+Z \[info +\] polled +\[bot\.poller\] site=vienna\n", captured.err)


def test_console_lines_quote_what_is_not_one_word(stream: io.StringIO) -> None:
    configure_logging(format="console", stream=stream)

    log().info("polled", site="vienna", name="a b=c", empty="", count=2, ids=["x y"])

    assert stream.getvalue().endswith('site=vienna name="a b=c" empty="" count=2 ids=["x y"]\n')


@pytest.mark.parametrize("evil", ["\n", "\r", "\x1b[2K", "\x85", "\u2028", "\u202e", "\x00", "\ud800"])
def test_foreign_text_cannot_forge_a_console_line(stream: io.StringIO, evil: str) -> None:
    configure_logging(format="console", stream=stream)
    forged = f"a{evil}2026-11-24T12:00:00Z [error    ] forged"

    log().warning(f"event {forged}", name=forged, names=[forged])
    try:
        fail(forged)
    except RuntimeError:
        log().exception("failed", stack_info=True)

    text = stream.getvalue()
    assert evil == "\n" or evil not in text
    for line in text.split("\n")[:-1]:
        assert "forged" not in line or line.startswith("    | ") or re.match(r"\S+Z \[warning ", line)


@pytest.mark.parametrize("format_", ["console", "json"])
def test_a_known_secret_never_reaches_a_line(stream: io.StringIO, format_: Format) -> None:
    redact = configure_logging(format=format_, stream=stream, secrets=[SECRET, ""])
    redact.register("learned-at-login")

    log().warning(f"with {SECRET}", note=f"x{SECRET}y", deep={"k": [SECRET], SECRET: 1}, other={"learned-at-login"})
    logging.getLogger("aiohttp").error("%s", {"header": SECRET})
    for speak in (log().exception, logging.getLogger("sqlalchemy").exception):
        try:
            fail(SECRET, "learned-at-login")
        except RuntimeError:
            speak("failed")

    text = stream.getvalue()
    assert "Traceback" in text
    assert "***" in text
    assert "horse" not in text
    assert "learned-at-login" not in text


def test_a_line_that_cannot_be_written_does_not_print_its_arguments(stream: io.StringIO, lines: Lines) -> None:
    configure_logging(format="json", stream=stream)

    logging.getLogger("aiohttp").error("%d", SECRET)

    assert re.fullmatch(r"a log line of aiohttp:\d+ could not be written \(TypeError\)\n", stream.getvalue())


def test_a_closed_stream_ends_nothing(stream: io.StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(format="json", stream=stream)
    stream.close()

    log().error("unheard")

    assert capsys.readouterr() == ("", "")


def test_an_error_outside_of_writing_is_told_too(stream: io.StringIO) -> None:
    configure_logging(format="json", stream=stream)
    record = logging.makeLogRecord({"name": "aiohttp", "lineno": 7})

    logging.getLogger().handlers[0].handleError(record)

    assert stream.getvalue() == "a log line of aiohttp:7 could not be written (unknown error)\n"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("token xoxb-12-abc-DEF.", "token ***."),
        ("xapp-1-A0-12-abc and xoxe.xoxb-1-Mi0yLT", "*** and ***"),
        ("jwt eyJhbGciOi.eyJzdWIi.c2ln-_, gone", "jwt ***, gone"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer ***"),
        ("{'Authorization': 'Basic dXNlcjpwdw=='}", "{'Authorization': '***'}"),
        ("bearer s3cr3t", "bearer ***"),
        ("Bearer tokenabc", "Bearer ***"),
        ("authentication is Bearer Token", "authentication is Bearer Token"),
        ("authentication is Basic Authentication", "authentication is Basic Authentication"),
        ("postgresql://bot:p@ss:w@db/bot", "postgresql://bot:***@db/bot"),
        ("https://acme.itempath.com:8443/a", "https://acme.itempath.com:8443/a"),
        ("POST https://hooks.slack.com/services/T0/B0/XyZ failed", "POST https://hooks.slack.com/*** failed"),
        ("http://127.0.0.1:9/actions/T0/12/abc", "http://127.0.0.1:9/actions/***"),
        ("GET /actions/runs", "GET /actions/runs"),
        ("wss://wss.slack.com/link/?ticket=abc-1&app_id=2", "wss://wss.slack.com/link/?ticket=***&app_id=2"),
        ('{"password": "hunter2", "username": "me"}', '{"password": "***", "username": "me"}'),
        ('{"accessToken": "abc", "page": 1}', '{"accessToken": "***", "page": 1}'),
        ("Server=db;Pwd=hunter2;Timeout=3", "Server=db;Pwd=***;Timeout=3"),
        ("token: expired", "token: expired"),
    ],
)
def test_what_looks_like_a_secret_is_masked_and_nothing_else(text: str, redacted: str) -> None:
    assert Redactor()(text) == redacted


@pytest.mark.parametrize("key", ["token", "bot_token", "password", "Authorization", "response_url", "signing_secret"])
def test_fields_named_like_a_secret_are_masked_whatever_they_hold(key: str) -> None:
    assert Redactor().clean({key: "word", "n": {key: 5}}) == {key: "***", "n": {key: "***"}}


def test_whether_there_is_a_secret_may_be_told() -> None:
    assert Redactor().clean({"token": True, "password": None}) == {"token": True, "password": None}


def test_a_short_secret_is_masked_where_it_stands_alone() -> None:
    redact = Redactor(["abc"])

    assert redact("abc, 'abc' abcdef") == "***, '***' abcdef"


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    assert Redactor(["secret", "secret-longer"])("secret-longer") == "***"


@given(st.text(min_size=6).filter(str.strip), st.text(), st.text())
def test_no_text_around_a_secret_lets_it_through(secret: str, before: str, after: str) -> None:
    redacted = Redactor([secret])(f"{before}{secret}{after}")

    assert secret not in redacted or secret in before + after or set(secret) <= set("*")


def test_a_secret_is_known_in_its_encoded_forms() -> None:
    redact = Redactor(['quo"te/\n'])

    assert redact("a quo%22te%2F%0A b quo%22te/%0A c") == "a *** b *** c"
    assert redact(repr('quo"te/\n') + json.dumps('quo"te/\n')) == "'***'\"***\""


def test_a_state_is_logged_when_it_changes_and_not_when_it_repeats(stream: io.StringIO, lines: Lines) -> None:
    configure_logging(format="json", stream=stream)
    state = StateLog(log(), "polling", site="vienna")

    state.worked(NOW)
    state.failed(NOW, "unreachable", attempt=1)
    state.failed(NOW + timedelta(seconds=30), "unreachable")
    state.failed(NOW + timedelta(seconds=60), "credentials")
    state.worked(NOW + timedelta(seconds=90), connections=4)
    state.worked(NOW + timedelta(seconds=120))
    state.failed(NOW + timedelta(seconds=150), "credentials")

    told = [{k: v for k, v in line.items() if k not in {"timestamp", "logger", "level"}} for line in lines()]
    assert told == [
        {"event": "polling fails", "site": "vienna", "reason": "unreachable", "attempt": 1},
        {"event": "polling fails otherwise", "site": "vienna", "reason": "credentials", "was": "unreachable"},
        {"event": "polling recovered", "site": "vienna", "seconds": 90.0, "failures": 3, "connections": 4},
        {"event": "polling fails", "site": "vienna", "reason": "credentials"},
    ]


@pytest.mark.parametrize("run", ["a", "a-", "token", "eyJ", "://a:"])
def test_a_long_text_takes_no_longer_than_its_length(run: str) -> None:
    """Whoever names things in ItemPath must not be able to hold up the bot: at their square, these take minutes."""
    started = time.process_time()
    Redactor([])(run * (40_000 // len(run)))

    assert time.process_time() - started < 5
