from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.connection import Connection, Failure, Log, LogKey, State
from bot.core.incidents import Family, Person, Silence, SilentPart, Why
from bot.core.state import Pending
from bot.store import codec
from bot.store.columns import dumps
from tests.store.samples import LOG, NOW, ROW

# Lone surrogates and NUL included: foreign text is data, whatever it holds.
text = st.text(st.characters(codec=None, exclude_categories=()), max_size=20)
moments = st.datetimes(timezones=st.just(UTC))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


logs = st.builds(
    Log,
    id=text,
    at=maybe(moments),
    status=maybe(st.integers()),
    description=maybe(text),
    error=maybe(text),
    app_id=maybe(text),
    integration_id=maybe(text),
    workflow_id=maybe(text),
    task_id=maybe(text),
    seconds=maybe(st.floats(allow_nan=False, allow_infinity=False)),
)
connections = st.builds(
    Connection,
    id=text,
    name=text,
    app_id=maybe(text),
    url=maybe(text),
    type=maybe(text),
    authentication=maybe(text),
    username=maybe(text),
    password_exists=maybe(st.booleans()),
    token_exists=maybe(st.booleans()),
    is_testable=maybe(st.booleans()),
    status=maybe(st.integers()),
    latest_connection=maybe(moments),
    created=maybe(moments),
    latest_log=maybe(logs),
    last_check=maybe(moments),
    integration_count=maybe(st.integers()),
)
pendings = st.builds(
    Pending,
    state=st.sampled_from(State),
    polls=st.integers(),
    since=moments,
    why=st.sampled_from(Why),
    not_before=maybe(moments),
    errors=st.lists(logs, max_size=2).map(tuple),
)
families = st.builds(
    Family, fingerprint=text, log=logs, count=st.integers(), first_at=moments, last_at=moments, message=st.integers()
)
keys = st.builds(LogKey, id=text, at=maybe(moments), error=text)
failures = st.builds(Failure, kind=text, message=text, advice=text)
persons = st.builds(Person, id=text, name=text)
silences = st.builds(Silence, until=moments, reason=text, by=maybe(persons))
silent_parts = st.builds(SilentPart, silence=silences, connections=st.lists(text, max_size=2).map(tuple))

CODECS: dict[type, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    Log: (codec.encode_log, codec.decode_log),
    Connection: (codec.encode_connection, codec.decode_connection),
    Pending: (codec.encode_pending, codec.decode_pending),
    Family: (codec.encode_family, codec.decode_family),
    LogKey: (codec.encode_log_key, codec.decode_log_key),
    Failure: (codec.encode_failure, codec.decode_failure),
    Person: (codec.encode_person, codec.decode_person),
    Silence: (codec.encode_silence, codec.decode_silence),
    SilentPart: (codec.encode_silent_part, codec.decode_silent_part),
    tuple: (codec.encode_moments, codec.decode_moments),
}


@given(
    st.one_of(
        logs,
        connections,
        pendings,
        families,
        keys,
        failures,
        persons,
        silences,
        silent_parts,
        st.lists(moments).map(tuple),
    )
)
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    encode, decode = CODECS[type(value)]
    written = dumps(encode(value))
    assert written.isascii()
    assert decode(json.loads(written)) == value


@pytest.mark.parametrize("seconds", [math.nan, math.inf, -math.inf])
def test_a_duration_that_is_no_number_is_not_kept(seconds: float) -> None:
    assert codec.decode_log(codec.encode_log(replace(LOG, seconds=seconds))).seconds is None


def test_a_field_that_an_older_program_did_not_write_takes_its_default() -> None:
    assert codec.decode_log({"id": "7"}) == Log(id="7")
    assert codec.decode_connection({"id": "7", "name": "x"}) == Connection(id="7", name="x")
    pending = {"state": "down", "polls": 1, "since": NOW.isoformat(), "why": "seen"}
    assert codec.decode_pending(pending) == Pending(
        state=State.DOWN, polls=1, since=NOW, why=Why.SEEN, not_before=None, errors=()
    )


def test_a_field_that_a_newer_program_wrote_is_ignored() -> None:
    later = {"later": [1]}
    assert codec.decode_log(codec.encode_log(LOG) | later) == LOG
    assert codec.decode_connection(codec.encode_connection(ROW) | later) == ROW
    assert codec.decode_log_key([*codec.encode_log_key(LOG.key), "later"]) == LOG.key


def test_what_no_program_of_ours_wrote_is_an_error() -> None:
    with pytest.raises(KeyError):
        codec.decode_connection({"id": "7"})
    with pytest.raises(ValueError, match="sideways"):
        codec.decode_pending({"state": "sideways"})
    with pytest.raises(ValueError, match="JSON compliant"):
        dumps(math.nan)
