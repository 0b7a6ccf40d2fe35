"""`list`: what holds of every table, whatever is in it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.core.connection import Connection, State
from bot.core.state import ConnectionRecord
from bot.slack.commands import tables
from bot.slack.commands.listing import PAGE_SIZE, corrected, page_of, worst_first
from bot.slack.commands.survey import Listed
from bot.slack.commands.vocabulary import Listing
from tests.slack.people.household import read

NOW = datetime(2026, 11, 24, 3, 0, tzinfo=UTC)

texts = st.text(max_size=40) | st.sampled_from(
    ["<!channel>", "*b*", "\u202e\x00\ud800", "漢字" * 40, "e\u0301" * 60, ""]
)
rows = st.builds(
    Connection,
    id=texts,
    name=texts,
    type=st.none() | texts,
    app_id=st.none() | texts,
    status=st.sampled_from([None, 0, 1]),
    integration_count=st.none() | st.integers(-5, 10**9),
)
records = st.builds(
    ConnectionRecord,
    site=st.sampled_from(["plant", "berlin"]),
    id=texts,
    row=st.none() | rows,
    known=st.sampled_from(State),
    since=st.none() | st.just(NOW - timedelta(days=3)),
)


@given(st.lists(records, max_size=50), st.none() | st.sampled_from(State), st.integers(1, 4))
def test_every_table_can_be_shown_and_its_columns_stand_below_each_other(
    found: list[ConnectionRecord], state: State | None, number: int
) -> None:
    listing = Listing(state=state, page=number, words=(state.value,) if state else ())
    page = page_of(listing, found, blind=("berlin",))
    assert len(page.rows) <= PAGE_SIZE
    assert list(page.rows) == sorted(page.rows, key=worst_first)
    assert page.total == sum(1 for r in found if state in (None, r.state(blind=r.site == "berlin")))
    listed = Listed(listing=listing, page=page, blind=(), unread=("oslo",), guess=corrected(listing, found))
    answer = tables.table(listed, at=NOW, command="/connection")
    read(answer)
    json.dumps(answer).encode()
    assert not re.search(r"<(?!!date\^)", answer["text"])
    for block in answer["blocks"]:
        if block["type"] == "rich_text" and block["elements"][0]["type"] == "rich_text_preformatted":
            lines = block["elements"][0]["elements"][0]["text"].split("\n")
            assert len(lines) == 1 + len(page.rows)
            column = lines[0].index("name")
            assert all(tables._width(line) <= 110 for line in lines)
            assert all(line.split()[0] in tuple(State) for line in lines[1:])
            assert column > 0


@given(st.lists(records, min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_the_order_in_which_connections_are_remembered_decides_nothing(
    found: list[ConnectionRecord], chance: Any
) -> None:
    unique = list({(record.site, record.id): record for record in found}.values())
    shuffled = list(unique)
    chance.shuffle(shuffled)
    one, other = (page_of(Listing(), some, blind=()) for some in (unique, shuffled))
    assert [row.record.id for row in one.rows] == [row.record.id for row in other.rows]
