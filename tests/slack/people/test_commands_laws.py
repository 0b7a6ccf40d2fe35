"""Whatever ItemPath or a person says: every answer is valid for Slack, pings nobody, and can be read."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.core.connection import Connection, Failure, Log, State
from bot.core.incidents import Episode, EpisodeKind, Family, Person, Thread, ThreadKind, Why
from bot.core.state import AckOutcome, AckReply, ConnectionRecord
from bot.slack.commands import guidance, replies
from bot.slack.commands.lookup import Sight
from bot.slack.commands.naming import Ambiguous, Named, exactly, loosely
from bot.slack.commands.remembered import Missing, Several
from bot.slack.commands.vocabulary import Help
from tests.slack.people.household import read

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
LONGEST = "&&<&`" * 2000

texts = st.text(max_size=60) | st.sampled_from(
    [
        "",
        " ",
        "<!channel>",
        "<@U0ALICE>",
        "<https://x.example|y>",
        "*b* _i_ ~s~ `c`",
        LONGEST,
        "\u202e\x00\ud800",
        "é" * 9000,
    ]
)
maybe_text = st.none() | texts
moments = st.datetimes(
    # Naive here, aware by `timezones`: that is what hypothesis wants.
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
maybe_moment = st.none() | moments
flags = st.none() | st.booleans()
numbers = st.none() | st.integers(-(10**12), 10**12)
logs = st.builds(
    Log,
    id=texts,
    at=maybe_moment,
    status=numbers,
    description=maybe_text,
    error=maybe_text,
    app_id=maybe_text,
    integration_id=maybe_text,
    workflow_id=maybe_text,
    task_id=maybe_text,
    seconds=st.none() | st.floats(allow_nan=True, allow_infinity=True),
)
rows = st.builds(
    Connection,
    id=texts,
    name=texts,
    app_id=maybe_text,
    url=maybe_text,
    type=maybe_text,
    authentication=maybe_text,
    username=maybe_text,
    password_exists=flags,
    token_exists=flags,
    is_testable=flags,
    status=st.sampled_from([None, 0, 1, 7]),
    latest_connection=maybe_moment,
    created=maybe_moment,
    latest_log=st.none() | logs,
    last_check=maybe_moment,
    integration_count=numbers,
)
records = st.builds(
    ConnectionRecord,
    site=st.sampled_from(["plant", "berlin"]),
    id=texts,
    row=st.none() | rows,
    known=st.sampled_from(State),
    since=maybe_moment,
    seen_at=maybe_moment,
    absent_reads=st.integers(0, 2),
    problem=maybe_text,
    stale=st.booleans(),
)
people = st.builds(Person, id=texts, name=texts)
failures = st.builds(Failure, kind=st.just("timeout"), message=texts, advice=texts)
families = st.builds(
    Family,
    fingerprint=texts,
    log=logs,
    count=st.integers(1, 9**9),
    first_at=moments,
    last_at=moments,
    message=st.just(0),
)
episodes = st.builds(
    Episode,
    id=texts,
    site=texts,
    connection=texts,
    kind=st.sampled_from(EpisodeKind),
    start=moments,
    why=st.sampled_from(Why),
    not_before=maybe_moment,
    row=st.none() | rows,
    families=st.lists(families, max_size=3).map(tuple),
    thread=st.sampled_from([None, "plant/1", "plant/2"]),
)
threads = st.builds(
    Thread,
    id=st.just("plant/1"),
    site=texts,
    kind=st.sampled_from(ThreadKind),
    channel=texts,
    opened=moments,
    ack_by=st.none() | people,
    ack_at=maybe_moment,
)
sights = st.builds(
    Sight,
    site=st.sampled_from(["plant", "default"]),
    id=texts,
    at=moments,
    live=st.none() | rows,
    failure=st.none() | failures,
    gone=st.booleans(),
    record=st.none() | records,
    read_at=maybe_moment,
    episodes=st.lists(episodes, max_size=3).map(tuple),
    threads=st.builds(lambda thread: {"plant/1": thread}, threads),
    link=st.sampled_from([None, "https://sandbox.slack.com/archives/C1/p1"]),
)
refs = st.lists(st.tuples(st.sampled_from(["plant", "berlin"]), texts, texts), max_size=30).map(tuple)


def valid(answer: dict[str, Any]) -> str:
    """What is read; fails on what Slack refuses or what would ping somebody."""
    shown = read(answer)
    mrkdwn = [answer["text"]]
    for block in answer["blocks"]:
        if block["type"] == "section":
            mrkdwn += [field["text"] for field in block["fields"]]
        elements = json.dumps(block)
        assert not re.search(r'"type": "(user|usergroup|broadcast|channel|link)"', elements)
    for text in mrkdwn:
        assert not re.search(r"<(?!!date\^)", text)
    json.dumps(answer).encode()
    return shown


def test_a_connection_that_is_down_reads_like_this() -> None:
    row = Connection(
        id="2",
        name="Web Services",
        type="REST",
        url="https://api.example.com",
        authentication="HMAC Authentication",
        username="api-user",
        status=0,
        integration_count=1,
        latest_log=Log(id="10", at=NOW, error="HTTP 503: token=abc123def456"),
    )
    start = NOW - timedelta(hours=2)
    record = ConnectionRecord(site="plant", id="2", row=row, known=State.DOWN, since=start)
    outage = Episode(
        id="plant#1",
        site="plant",
        connection="2",
        kind=EpisodeKind.OUTAGE,
        start=start,
        why=Why.SEEN,
        row=row,
        thread="plant/1",
    )
    ana = Person(id="U0ANA", name="ana")
    thread = Thread(
        id="plant/1", site="plant", kind=ThreadKind.OUTAGE, channel="C1", opened=start, ack_by=ana, ack_at=NOW
    )
    link = "https://acme.slack.com/archives/C1/p1"
    sight = Sight(
        site="plant",
        id="2",
        at=NOW,
        live=row,
        record=record,
        read_at=NOW,
        episodes=(outage,),
        threads={"plant/1": thread},
        link=link,
    )
    date = "{date_short_pretty} at {time_secs}"
    lines = valid(replies.connection(sight)).splitlines()
    assert lines[:7] == [
        "🔴 Web Services is down",
        "plant/2: read from ItemPath just now.",
        "Down since 2026-11-24 01:00:00 UTC.",
        (
            "🔴 Open outage: down since 2026-11-24 01:00:00 UTC, for 2 h so far. "
            "Acknowledged by ana, 2026-11-24 03:00:00 UTC."
        ),
        "Not given by ItemPath: App, Password, Token, Can be tested, Last connection, Last check, Created.",
        "Error:",
        "HTTP 503: token=[masked]",
    ]
    assert sorted(lines[7:-2]) == [
        "*Address* `https://api.example.com`",
        "*Authentication* `HMAC Authentication`",
        "*Impact if down* 1 integration stops.",
        f"*Latest log (ItemPath)* <!date^1795489200^{date}|2026-11-24 03:00:00 UTC>",
        "*Log* `10`",
        "*Status* `0`",
        "*Type* `REST`",
        "*Username* `api-user`",
    ]
    assert lines[-2:] == ["[Share to channel]", f"[Open thread]({link})"]


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(sight=sights, shared_by=st.none() | people)
def test_every_connection_can_be_shown(sight: Sight, shared_by: Person | None) -> None:
    answer = replies.connection(sight, shared_by=shared_by)
    shown = valid(answer)
    assert ("Share to channel" in shown) == (shared_by is None)
    assert answer["response_type"] == ("ephemeral" if shared_by is None else "in_channel")


@given(refs=refs, asked=texts, failure=failures, word=st.sampled_from(["", "ack"]))
def test_every_list_and_every_miss_can_be_shown(
    refs: tuple[tuple[str, str, str], ...], asked: str, failure: Failure, word: str
) -> None:
    typed = guidance.Typed(command="/connection", word=word, ref=asked)
    valid(guidance.several(typed, Several(refs=refs)))
    missing = Missing(nearest=refs[:3], unanswered={"plant": failure, "berlin": failure})
    valid(guidance.missing(typed, missing))
    valid(guidance.help_(Help(), command="/" + "x" * 32))


@given(
    reply=st.builds(AckReply, outcome=st.sampled_from(AckOutcome), by=st.none() | people, at=maybe_moment),
    about=maybe_text,
)
def test_every_acknowledgement_can_be_told(reply: AckReply, about: str) -> None:
    valid(replies.acknowledgement(reply, about=about))


def test_the_longest_of_everything_fits() -> None:
    """Escaping makes five characters of one: facts then stand where nothing is escaped."""
    log = Log(
        id=LONGEST,
        at=NOW,
        status=1,
        description=LONGEST,
        error=LONGEST,
        app_id=LONGEST,
        integration_id=LONGEST,
        workflow_id=LONGEST,
        task_id=LONGEST,
        seconds=0.5,
    )
    row = Connection(
        id=LONGEST,
        name=LONGEST,
        app_id=LONGEST,
        url=LONGEST,
        type=LONGEST,
        authentication=LONGEST,
        username=LONGEST,
        status=0,
        latest_log=log,
        integration_count=3,
    )
    record = ConnectionRecord(site="plant", id=LONGEST, row=row, problem=LONGEST, stale=True, absent_reads=1)
    failure = Failure(kind="timeout", message=LONGEST, advice=LONGEST)
    family = Family(fingerprint="1", log=log, count=2, first_at=NOW, last_at=NOW, message=0)
    common: dict[str, Any] = {
        "site": "plant",
        "connection": LONGEST,
        "start": NOW,
        "why": Why.SEEN,
        "thread": "plant/1",
    }
    outage = Episode(id="1", kind=EpisodeKind.OUTAGE, **common)
    error = Episode(id="2", kind=EpisodeKind.ERROR, families=(family,), **common)
    thread = Thread(
        id="plant/1",
        site="plant",
        kind=ThreadKind.OUTAGE,
        channel="C1",
        opened=NOW,
        ack_by=Person(id="U1", name=LONGEST),
        ack_at=NOW,
    )
    sight = Sight(
        site="plant",
        id=LONGEST,
        at=NOW + timedelta(hours=1),
        failure=failure,
        record=record,
        read_at=NOW,
        episodes=(outage, error),
        threads={"plant/1": thread},
    )
    shown = valid(replies.connection(sight, shared_by=Person(id="U1", name=LONGEST)))
    assert "Type: &&<&`&&<&`" in shown
    assert "What follows was read 1 h before, 2026-11-24 03:00:00 UTC." in shown


@given(records=st.lists(records, max_size=8), ref=texts)
def test_whatever_is_asked_for_is_one_several_or_none(records: list[ConnectionRecord], ref: str) -> None:
    sites = ("plant", "berlin")
    found = exactly(ref, records, sites=sites) or loosely(ref, records, sites=sites)
    if isinstance(found, Ambiguous):
        assert len(found.records) >= 1
    for record in records:
        same = [other for other in records if other.id == record.id]
        if len(same) == 1 and record.id:
            assert exactly(record.id, records, sites=sites) == Named(record=record)
