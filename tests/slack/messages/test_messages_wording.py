"""The words, marks and blocks that messages and answers share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.connection import Connection, Log, State
from bot.core.masking import mask
from bot.slack.blocks import (
    Foreign,
    Link,
    fact_blocks,
    fit,
    header,
    mention_elements,
    mention_token,
    mrkdwn,
    plain,
    rich,
)
from bot.slack.messages.phrases import all_facts
from bot.slack.wording import clean, code, count, date, duration, escape, impact, literal, shorten, sign, utc

unhurried = settings(deadline=None)
"""How long one example takes is the machine's affair, not the law's."""
AT = datetime(2026, 11, 24, 4, 0, 5, tzinfo=timezone(timedelta(hours=1)))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5, "less than 1 s"),
        (0.9, "less than 1 s"),
        (12, "12 s"),
        (60, "1 min"),
        (65, "1 min 5 s"),
        (7500, "2 h 5 min"),
        (7259, "2 h"),
        (3 * 86_400 + 4 * 3600, "3 d 4 h"),
    ],
)
def test_a_duration_is_told_in_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(timedelta(seconds=seconds)) == words


def test_a_moment_is_a_slack_date_with_utc_to_fall_back_on() -> None:
    assert utc(AT) == "2026-11-24 03:00:05 UTC"
    assert date(AT) == "<!date^1795489205^{date_short_pretty} at {time_secs}|2026-11-24 03:00:05 UTC>"


def test_each_state_has_its_own_sign() -> None:
    assert {state.value: sign(state) for state in State} == {"up": "🟢", "down": "🔴", "unknown": "🟣"}


def test_counts_and_impacts_are_words() -> None:
    assert [count(1, "row"), count(1234, "row"), count(2, "entry", "entries")] == ["1 row", "1,234 rows", "2 entries"]
    assert impact(None) is None


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("a\u202eb\u200bc\ufeff", "abc"),
        (" two\n lines\tand\x00more ", "two lines and more"),
        ("\ud800", "\ufffd"),
        ("\u3164\u115f", ""),
        ("Łódź 倉庫 🏭", "Łódź 倉庫 🏭"),
    ],
)
def test_what_hides_or_reorders_text_is_taken_out(given_: str, shown: str) -> None:
    assert clean(given_) == shown


def test_lines_and_indentation_stay_where_they_are_asked_for() -> None:
    assert clean("\n\na\r\n  b \u2028c\n", lines=True) == "a\n  b\nc"


def test_nothing_becomes_a_word_rather_than_an_empty_string() -> None:
    assert literal("\u200b", 80) == "(blank)"
    assert code("", 80) == "`(blank)`"


@unhurried
@given(st.text(), st.integers(min_value=2, max_value=40))
def test_a_literal_has_between_one_and_limit_characters(text: str, limit: int) -> None:
    assert 1 <= len(literal(text, limit)) <= max(limit, len("(blank)"))


def test_what_is_cut_ends_with_an_ellipsis() -> None:
    assert shorten("abcdef", 6) == "abcdef"
    assert shorten("abcdefg", 6) == "abcde…"
    assert shorten("abcd efg", 6) == "abcd…"


def test_a_credential_is_hidden_even_where_the_text_is_cut() -> None:
    assert literal("login password=hunter2hunter2", 20) == "login password=[mas…"


SECRETS = st.sampled_from(
    ["xoxb-123456789-abcdef", "password=hunter2hunter2", "https://user:s3cr3tpass@host/x", "Bearer abc123def456ghi789",
     "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl", '"token": "abcdefgh 1234"', "api key is a1b2c3d4e5f6a7b8c9d0e1"]
)  # fmt: skip
WORDS = st.lists(st.text(alphabet="abc ", min_size=1, max_size=30) | SECRETS, max_size=12).map(" ".join)


@unhurried
@given(WORDS, st.integers(min_value=2, max_value=40))
def test_what_is_shown_of_a_text_is_what_would_be_shown_of_all_of_it_masked(text: str, limit: int) -> None:
    """Wherever it is cut: half a credential is not known for one."""
    assert literal(text, limit) == (shorten(mask(clean(text)), limit) or "(blank)")


@pytest.mark.parametrize("blank", ["", " "])
@pytest.mark.parametrize("long", [100, 700])
def test_a_credential_at_the_cut_is_hidden_whole(long: int, blank: str) -> None:
    """What stands before it shrinks, so that the cut is seen; or it is itself longer than what is looked at."""
    secret = "https://user:" + "s3cr3t" * (long // 6) + "@host"
    for before in range(0, 330, 7):
        text = "password=" + "x" * before + blank + secret
        assert "s3cr3t" not in literal(text, 80)
        assert "s3cr3t" not in literal("a" * (before // 5) + blank + secret, 80)


def test_a_link_is_one_where_links_are_shown_and_its_words_elsewhere() -> None:
    link = Link("earlier & older", "https://x.slack.com/p1?a=1&b=2")
    assert plain(link) == "earlier &amp; older"
    assert mrkdwn(link) == "<https://x.slack.com/p1?a=1&amp;b=2|earlier &amp; older>"
    assert rich(link) == {"type": "link", "url": link.url, "text": link.text}
    assert header((link,))["text"]["text"] == "earlier & older"


def test_escaped_text_cannot_ping_or_link() -> None:
    assert escape("<!here> & <https://x>") == "&lt;!here&gt; &amp; &lt;https://x&gt;"
    assert code("`<!here>`", 80) == "`'&lt;!here&gt;'`"


@pytest.mark.parametrize(
    ("mention", "token", "element"),
    [
        ("here", "<!here>", {"type": "broadcast", "range": "here"}),
        ("channel", "<!channel>", {"type": "broadcast", "range": "channel"}),
        ("U0ANA", "<@U0ANA>", {"type": "user", "user_id": "U0ANA"}),
        ("S0ONCALL", "<!subteam^S0ONCALL>", {"type": "usergroup", "usergroup_id": "S0ONCALL"}),
    ],
)
def test_a_mention_of_the_settings_pings(mention: str, token: str, element: dict[str, str]) -> None:
    assert mention_token(mention) == token
    assert mention_elements(mention) == [element]


@pytest.mark.parametrize("mention", ["", "everyone", "U0ANA> <!here", "C0CHANNEL"])
def test_anything_else_pings_nobody(mention: str) -> None:
    assert mention_token(mention) == ""
    assert mention_elements(mention) == []


def test_a_headline_is_cut_at_slack_s_limit() -> None:
    block = header((Foreign("a" * 80), " " + "b" * 100))

    assert len(block["text"]["text"]) == 150
    assert block["text"]["text"].endswith("b…")


@unhurried
@given(st.lists(st.lists(st.text("&<x", max_size=9) | st.builds(Foreign, st.text("&`", max_size=30)), max_size=4)))
def test_lines_are_cut_between_spans_so_that_entities_stay_whole(lines: list[list[str | Foreign]]) -> None:
    text = fit([tuple(line) for line in lines], plain, limit=60, between=" ")

    assert 1 <= len(text) <= 60
    assert "&" not in text.replace("&amp;", "").replace("&lt;", "")


def test_a_lookup_tells_every_field_of_the_api_in_sections_of_ten() -> None:
    log = Log(
        id="10",
        at=AT,
        status=1,
        description="Connection test complete",
        app_id="2",
        integration_id="i",
        workflow_id="w",
        task_id="t",
        seconds=0.42,
    )
    row = Connection(
        id="1",
        name="PowerPick",
        app_id="2",
        url="https://warehouse.example.com",
        type="MSSQL",
        authentication="Basic Authentication",
        username="warehouse_user",
        password_exists=True,
        token_exists=False,
        is_testable=True,
        status=1,
        latest_connection=AT,
        created=AT,
        latest_log=log,
        last_check=AT,
        integration_count=3,
    )
    facts = all_facts(row)

    assert {fact.label: fact.value for fact in facts} == {
        "Impact if down": ("3 integrations stop.",),
        "Type": (Foreign("MSSQL"),),
        "Address": (Foreign("https://warehouse.example.com", 300),),
        "Authentication": (Foreign("Basic Authentication"),),
        "Last connection (ItemPath)": (AT,),
        "Last check (ItemPath)": (AT,),
        "Latest log (ItemPath)": (AT,),
        "App": (Foreign("2"),),
        "Username": (Foreign("warehouse_user"),),
        "Password": ("stored",),
        "Token": ("none",),
        "Can be tested": ("yes",),
        "Status": (Foreign("1"),),
        "Created (ItemPath)": (AT,),
        "Log": (Foreign("10"),),
        "Log status": (Foreign("1"),),
        "Log description": (Foreign("Connection test complete", 300),),
        "Log took": ("0.42 s",),
        "Log app": (Foreign("2"),),
        "Log integration": (Foreign("i"),),
        "Log workflow": (Foreign("w"),),
        "Log task": (Foreign("t"),),
    }
    assert [len(block["fields"]) for block in fact_blocks(facts)] == [10, 10, 2]


def test_what_itempath_does_not_tell_has_no_fact() -> None:
    assert all_facts(Connection(id="1", name="n", type=" ", is_testable=False)) != ()
    assert all_facts(Connection(id="1", name="n", type=" ")) == ()
    assert fact_blocks(()) == []


def test_utc_is_what_a_naive_reader_gets() -> None:
    assert plain(AT.astimezone(UTC)) == date(AT)
