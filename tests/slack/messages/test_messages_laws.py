"""Whatever text ItemPath or a person sends: every message is valid for Slack, pings nobody unasked, and can be read."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given

from bot.core.incidents import MessageKind, ThreadKind
from bot.sandbox.slack.blocks import check_message
from bot.slack.blocks import mention_token
from bot.slack.messages import MUTE, Rendered
from bot.slack.wording import literal
from tests.slack.messages.cases import EPISODES, MARK, Case, cases, forms, unhurried

BY_PERSON = (MessageKind.ACKNOWLEDGED, MessageKind.MUTED, MessageKind.UNMUTED)
CALLING = {MessageKind.ROOT, MessageKind.REMINDER, MessageKind.ESCALATED}


def strings(value: Any) -> Iterator[str]:
    """Every string in it, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from strings(inner)


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in it, at any depth."""
    if isinstance(value, dict):
        yield value
        yield from (node for inner in value.values() for node in nodes(inner))
    elif isinstance(value, (list, tuple)):
        yield from (node for inner in value for node in nodes(inner))


def check_valid(rendered: Rendered) -> None:
    """Slack's limits, written a second time: from the facts rather than from the code."""
    assert 0 < len(rendered.text) <= 4000
    assert len(rendered.blocks) <= 50
    shown = [n["text"] for n in nodes(rendered.blocks) if isinstance(n.get("text"), str)]
    assert sum(map(len, shown)) <= 12_000
    assert all(shown)
    for block in rendered.blocks:
        assert block["type"] in ("header", "section", "rich_text", "actions")
        if block["type"] == "header":
            assert block["text"]["type"] == "plain_text"
            assert len(block["text"]["text"]) <= 150
        if block["type"] == "section":
            assert len(block.get("text", {"text": "x"})["text"]) <= 3000
            assert len(block.get("fields", [])) <= 10
            assert all(len(field["text"]) <= 2000 for field in block.get("fields", []))
        if block["type"] in ("rich_text", "actions"):
            assert block["elements"]
            assert all(n["elements"] for n in nodes(block) if "elements" in n)
    "".join(strings([rendered.text, rendered.blocks])).encode()


@unhurried
@given(case=cases(), form=forms)
def test_every_message_is_valid_for_slack(case: Case, form: str) -> None:
    rendered = case.render(form)

    check_valid(rendered)
    check_message(list(rendered.blocks), None)


MENTIONS = {
    "user": "user_id",
    "usergroup": "usergroup_id",
    "broadcast": "range",
    "link": "url",
    "channel": "channel_id",
}


@unhurried
@given(case=cases(), form=forms)
def test_nobody_is_pinged_but_those_whom_the_settings_name(case: Case, form: str) -> None:
    """And only by roots and reminders, others by escalations, and all while it waits and is not silent; nothing links."""
    rendered, thread = case.render(form), case.view.thread
    kind = case.message.kind
    allowed: set[str] = set()
    if kind in CALLING and thread.open and thread.ack_by is None and thread.silence is None:
        allowed = set(thread.escalate_to if kind is MessageKind.ESCALATED else thread.mentions)
    if thread.kind in (ThreadKind.CHANGES, ThreadKind.AWAY):
        allowed = set()
    if kind is MessageKind.ROOT and thread.kind is ThreadKind.BASELINE:
        allowed = set()
    called = [n[MENTIONS[n["type"]]] for n in nodes(rendered.blocks) if n.get("type") in MENTIONS]
    assert set(called) <= allowed
    assert len(called) == len(set(called))

    marked_up = [rendered.text, *(n["text"] for n in nodes(rendered.blocks) if n.get("type") == "mrkdwn")]
    tokens = {token for text in marked_up for token in re.findall(r"<[^>]*>?", text) if not token.startswith("<!date^")}
    assert tokens <= {mention_token(mention) for mention in allowed}
    assert all(n["verbatim"] for n in nodes(rendered.blocks) if n.get("type") == "mrkdwn")
    assert not any(n["emoji"] for n in nodes(rendered.blocks) if n.get("type") == "plain_text")


@unhurried
@given(case=cases(), form=forms)
def test_where_slack_reads_formatting_foreign_text_stands_in_backticks(case: Case, form: str) -> None:
    rendered = case.render(form)
    marked_up = [n["text"] for n in nodes(rendered.blocks) if n.get("type") == "mrkdwn"]
    if not rendered.blocks:
        marked_up.append(rendered.text)
    outside = [re.sub(r"`[^`]*`", "", text) for text in marked_up]

    assert not any(MARK in text or "`" in text for text in outside)


@unhurried
@given(case=cases(), form=forms)
def test_nothing_hides_or_reorders_text_and_no_password_is_shown(case: Case, form: str) -> None:
    rendered = case.render(form)
    everything = "".join(strings([rendered.text, rendered.blocks]))

    assert not re.search(
        "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\u3164\ufeff\ud800-\udfff]", everything
    )
    assert "hunter2" not in everything


@unhurried
@given(case=cases())
def test_the_name_can_be_read_in_every_form(case: Case) -> None:
    """Up to where it is cut; in the notification as well as in the message."""
    view = case.view
    if view.thread.kind not in (ThreadKind.OUTAGE, ThreadKind.ERROR) or case.message.kind in BY_PERSON:
        return
    episode = view.episodes[0]
    if case.message.kind in (MessageKind.REMINDER, MessageKind.ESCALATED) and not episode.open:
        return
    name = literal(episode.row.name if episode.row else episode.connection, 80)
    full, plain = case.render("full"), case.render("plain")

    assert name in html.unescape(full.text)
    assert name in "".join(strings(full.blocks))
    assert name.replace("`", "'") in html.unescape(plain.text)


@unhurried
@given(case=cases(), form=forms)
def test_a_mute_names_what_is_meant_first(case: Case, form: str) -> None:
    """In every form and in every kind of thread; of many at least the first."""
    params = case.message.params
    if case.message.kind not in (MessageKind.MUTED, MessageKind.UNMUTED):
        return
    site, connections = params["site"], params["connections"]
    assert isinstance(connections, list)
    name = literal(str(connections[0] if site is None else site), 80 if len(connections) < 2 else 40)
    rendered = case.render(form)

    assert name.replace("`", "'") in html.unescape(rendered.text).replace("`", "'")
    if form == "full":
        assert name in "".join(strings(rendered.blocks))


@unhurried
@given(case=cases())
def test_a_silent_root_says_so_and_offers_no_mute(case: Case) -> None:
    thread, rendered = case.view.thread, case.render("full")
    if case.message.kind is not MessageKind.ROOT or thread.kind not in EPISODES or not thread.open:
        return
    silent = thread.silence is not None
    offered = [n["action_id"] for n in nodes(rendered.blocks) if "action_id" in n]

    said = [s for s in strings(rendered.blocks) if re.search("🔇 (Muted|Maintenance) until ", s)]
    assert len(said) == (silent and not thread.silences)
    parts = [s for s in strings(rendered.blocks) if re.search("🔇 [0-9,]+ of them (muted|in maintenance) until ", s)]
    assert len(parts) == min(3, len(thread.silences))
    assert (MUTE in offered) is not silent


@unhurried
@given(case=cases())
def test_red_is_what_is_down(case: Case) -> None:
    if case.message.kind is not MessageKind.ROOT:
        return
    view = case.view
    of_outages = view.thread.kind in (ThreadKind.OUTAGE, ThreadKind.GROUP, ThreadKind.BASELINE)
    down = of_outages and any(e.open for e in view.episodes)

    assert case.render("full").text.startswith("🔴") is down
