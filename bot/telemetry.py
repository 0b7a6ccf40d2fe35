"""Logs and metrics: what a person and a dashboard see of the bot.

Everything that is logged, by this program or by a library, takes one way to one stream, and that way ends with a
`Redactor`: whatever else went wrong, a secret does not stand in a line. Metrics live in a registry of their own.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, TextIO
from urllib.parse import quote

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

Format = Literal["console", "json"]

MASK = "***"
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Slack's tokens: https://docs.slack.dev/authentication/tokens
    (re.compile(r"\bx(?:ox[a-z](?:\.xox[a-z])?|app)-[\w-]{3,}"), MASK),
    # JSON Web Tokens: ItemPath's access and refresh tokens
    (re.compile(r"\beyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?"), MASK),
    # Slack's incoming webhooks, response_url and the ticket of a Socket Mode address: whoever holds one may post
    (re.compile(r"(?i)(\bhooks\.slack(?:-gov)?\.com/)[^\s'\"<>]+"), rf"\1{MASK}"),
    (re.compile(r"(/(?:commands|actions|services|workflows|triggers)/)[A-Z]\w*/[\w/%-]+"), rf"\1{MASK}"),
    # The word after it names the scheme only where ItemPath says "Bearer Token", its name of an authentication mode.
    (
        re.compile(r"(?i)\b(bearer\s+)(?!(?:token|auth(?:entication|orization)?)(?![\w.~+/=-]))[\w.~+/=-]{4,}"),
        rf"\1{MASK}",
    ),
    (
        re.compile(r"(?i)(\bauthorization['\"]?\s*[:=]\s*(?:b?['\"])?)(?!bearer\b)(?:(\w+)\s+)?[\w.~+/=-]+"),
        rf"\1{MASK}",
    ),
    # user:password@host in any address. Looked for from its slashes on: from the scheme's letters on, a name of many
    # letters would cost their square.
    (re.compile(r"(://[^\s/:@'\"]*:)[^\s/'\"]*(?=@)"), rf"\1{MASK}"),
    # token=…, "password": "…", ticket=… in queries, bodies and connection strings
    (
        re.compile(
            r"(?i)((?:token|password|passwd|pwd|secret|ticket|api_?key)(?:['\"]\s*:\s*|\s*=\s*)(?:b?['\"])?)"
            r"(?!\*\*\*)[^\s'\"&,;}]+"
        ),
        rf"\1{MASK}",
    ),
)
_SECRET_KEY = re.compile(r"(?i)(?:^|_)(?:token|password|secret|authorization|cookie|response_url)$")
_STANDS_ALONE = 6
"""Characters below which a secret is masked only where it stands alone: inside words, `abc` is no secret but noise."""


class Redactor:
    """Takes known secrets, and whatever looks like one, out of a text."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets: set[str] = set()
        self._known: re.Pattern[str] | None = None
        self.register(*secrets)

    def register(self, *secrets: str) -> None:
        """Add secrets that became known later, such as a token from a login."""
        for secret in filter(str.strip, secrets):
            escaped = json.dumps(secret)[1:-1]
            self._secrets |= {secret, quote(secret, safe=""), quote(secret), repr(secret)[1:-1], escaped}
        if self._secrets:
            # The longest first: one secret may begin with another.
            ordered = sorted(self._secrets, key=len, reverse=True)
            self._known = re.compile("|".join(map(_as_pattern, ordered)))

    def __call__(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(MASK, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def clean(self, value: object, *, key: str = "") -> Any:
        """`value` as plain JSON types without secrets; anything else as its `str`."""
        if value is None or isinstance(value, bool):
            return value
        if _SECRET_KEY.search(key):
            return MASK
        if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
            return value
        if isinstance(value, Mapping):
            return {self(str(k)): self.clean(v, key=str(k)) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(each) for each in value]
        return self(value.isoformat() if isinstance(value, datetime) else str(value))


def _as_pattern(secret: str) -> str:
    return re.escape(secret) if len(secret) >= _STANDS_ALONE else rf"(?<!\w){re.escape(secret)}(?!\w)"


class _Clean:
    """The structlog processor that applies a `Redactor`: after exceptions have become text, before rendering."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact

    def __call__(self, _logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {key: self._redact.clean(value, key=key) for key, value in event.items()}


def _one_line(text: str) -> str:
    """`text` with everything escaped that could end a line, move the cursor or turn the direction of writing."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def _for_console(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Values of one word stand bare, all others quoted; lines of a traceback are set in, so that none passes for a log line."""
    told: structlog.typing.EventDict = {}
    for key, value in event.items():
        if key in {"exception", "stack"}:
            told[key] = "\n".join(f"    | {_one_line(line)}" for line in str(value).split("\n"))
        elif key in {"event", "timestamp", "level", "logger"}:
            told[key] = _one_line(str(value))
        else:
            bare = isinstance(value, str) and re.fullmatch(r"[^\s='\"\\]+", value)
            told[key] = _one_line(value if bare else json.dumps(value, ensure_ascii=False))
    return told


def _columns(*, colors: bool) -> list[structlog.dev.Column]:
    """Time, level, event and logger, then the fields as `_for_console` wrote them."""
    dim, bold, key, reset = ("\x1b[2m", "\x1b[1m", "\x1b[36m", "\x1b[0m") if colors else ("",) * 4

    def column(name: str, style: str, **more: Any) -> structlog.dev.Column:
        formatter = structlog.dev.KeyValueColumnFormatter(None, style, reset, str, **more)
        return structlog.dev.Column(name, formatter)

    levels = structlog.dev.ConsoleRenderer.get_default_level_styles(colors)
    return [
        column("timestamp", dim),
        structlog.dev.Column("level", structlog.dev.LogLevelColumnFormatter(levels, reset)),
        column("event", bold, width=30),
        column("logger", dim, prefix="[", postfix="]"),
        structlog.dev.Column("", structlog.dev.KeyValueColumnFormatter(key, "", reset, str)),
    ]


class _Handler(logging.StreamHandler[TextIO]):
    """Writes lines, and never the arguments of one that cannot be written, as the standard library would."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 -- the name is the standard library's
        kind = sys.exc_info()[0]
        name = kind.__name__ if kind else "unknown error"
        # When the stream itself is gone, there is nobody left to tell.
        with contextlib.suppress(OSError, ValueError):
            self.stream.write(f"a log line of {record.name}:{record.lineno} could not be written ({name})\n")


def configure_logging(
    *,
    format: Format | None = None,  # noqa: A002 -- the setting is called so
    level: str = "info",
    stream: TextIO | None = None,
    secrets: Iterable[str] = (),
) -> Redactor:
    """Send all logs of the process to `stream` (default: standard error), as `console` or `json` lines.

    Without a format, `console` is used on a terminal and `json` elsewhere. Libraries are heard from `warning` on (at
    `debug`: from `info` on). Returns the redactor, which learns further secrets by `register`.
    """
    target = sys.stderr if stream is None else stream
    terminal = target.isatty()
    # As terminals are told to be plain (https://no-color.org, and terminfo's `dumb`).
    colors = terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    redact = Redactor(secrets)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if (format or ("console" if terminal else "json")) == "console":
        rendering: list[structlog.typing.Processor] = [
            _for_console,
            structlog.dev.ConsoleRenderer(
                columns=_columns(colors=colors),
                sort_keys=False,
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ]
    else:
        rendering = [structlog.processors.JSONRenderer()]
    handler = _Handler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                _Clean(redact),
                *rendering,
            ],
        )
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    own = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO if own <= logging.DEBUG else max(own, logging.WARNING))
    logging.getLogger("bot").setLevel(own)
    logging.captureWarnings(capture=True)
    return redact


class StateLog:
    """Logs changes of one state, not repetitions: the first failure, another reason, and the recovery with its duration."""

    def __init__(self, log: Any, what: str, **fields: object) -> None:
        """`what` begins each line, e.g. `polling`; `fields` stand on each."""
        self._log = log
        self._what = what
        self._fields = fields
        self._since: datetime | None = None
        self._reason = ""
        self._count = 0

    def failed(self, now: datetime, reason: str, **fields: object) -> None:
        """It failed at `now` because of `reason`: words that are equal for equal causes."""
        self._count += 1
        if self._since is None:
            self._since = now
            self._log.warning(f"{self._what} fails", reason=reason, **self._fields, **fields)
        elif reason != self._reason:
            self._log.warning(
                f"{self._what} fails otherwise", reason=reason, was=self._reason, **self._fields, **fields
            )
        self._reason = reason

    def worked(self, now: datetime, **fields: object) -> None:
        """It worked at `now`; says so only if it failed before."""
        if self._since is not None:
            seconds = round((now - self._since).total_seconds(), 3)
            self._log.info(f"{self._what} recovered", seconds=seconds, failures=self._count, **self._fields, **fields)
        self._since, self._reason, self._count = None, "", 0


class Metrics:
    """The metrics of one bot, in a registry of their own, so that two bots of one process do not add up."""

    def __init__(self, *, version: str) -> None:
        self.registry = registry = CollectorRegistry()
        Info("itempath_bot_build", "Which version runs.", registry=registry).info({"version": version})
        self._polls = Counter("itempath_bot_polls", "Polls by outcome.", ["site", "outcome"], registry=registry)
        self._duration = Histogram(
            "itempath_bot_poll_duration_seconds",
            "How long a poll took, retries included.",
            ["site"],
            # A poll is a request or a few of well under a second; beyond the default timeout it is retries.
            buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
            registry=registry,
        )
        self._connections = Gauge(
            "itempath_bot_connections", "Watched connections by state.", ["site", "state"], registry=registry
        )
        self._incidents = Gauge("itempath_bot_incidents_open", "Open incidents.", ["site"], registry=registry)
        self._pending = Gauge(
            "itempath_bot_messages_pending", "Messages not yet as Slack should show them.", registry=registry
        )
        self._messages = Counter(
            "itempath_bot_messages", "Calls to Slack about messages.", ["method", "outcome"], registry=registry
        )
        self._good = Gauge(
            "itempath_bot_last_successful_poll_timestamp_seconds",
            "When a site was last read with success; 0 before the first time.",
            ["site"],
            registry=registry,
        )
        ProcessCollector(registry=registry)

    def watch(self, site: str, *, last_good: datetime | None = None) -> None:
        """Show `site` from now on, all its series included: what is absent cannot be alerted on."""
        self._duration.labels(site)
        self.connections(site, up=0, down=0, unknown=0)
        self.incidents_open(site, 0)
        self._good.labels(site).set(last_good.timestamp() if last_good else 0)

    def polled(self, site: str, outcome: str, *, seconds: float, good_at: datetime | None = None) -> None:
        """A poll ended with `outcome` (`ok`, or the kind of failure); `good_at` is its time if it was a success."""
        self._polls.labels(site, outcome).inc()
        self._duration.labels(site).observe(seconds)
        if good_at is not None:
            self._good.labels(site).set(good_at.timestamp())

    def connections(self, site: str, *, up: int, down: int, unknown: int) -> None:
        for state, count in (("up", up), ("down", down), ("unknown", unknown)):
            self._connections.labels(site, state).set(count)

    def incidents_open(self, site: str, count: int) -> None:
        self._incidents.labels(site).set(count)

    def messages_pending(self, count: int) -> None:
        self._pending.set(count)

    def message(self, method: str, outcome: str) -> None:
        """A call of `method` (e.g. `chat.postMessage`) about a message ended with `outcome` (e.g. `ok`, `ratelimited`)."""
        self._messages.labels(method, outcome).inc()

    def render(self) -> tuple[bytes, str]:
        """The page for Prometheus, and its content type."""
        return generate_latest(_WithoutCreated(self.registry)), CONTENT_TYPE_LATEST


class _WithoutCreated(Collector):
    """A registry without the `_created` series, which double every counter and which the contract does not name.

    The client's own switch for them is global to the process.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Any]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if not _created(sample)]
            yield metric


def _created(sample: Sample) -> bool:
    return sample.name.endswith("_created")
