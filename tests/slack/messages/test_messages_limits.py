"""The longest texts everywhere at once still fit into what Slack takes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bot.core.connection import Connection, Failure, Log
from bot.core.diff import WATCHED_FIELDS, Change, ChangeKind, FieldChange
from bot.core.groups import LIST_HOLDS, ROOT_HOLDS
from bot.core.incidents import (
    SITE,
    Closing,
    Episode,
    EpisodeKind,
    Json,
    MessageKind,
    Person,
    Phase,
    Silence,
    ThreadKind,
    Why,
)
from bot.sandbox.slack.blocks import check_message
from bot.slack.blocks import fact_blocks
from bot.slack.messages import Rendered
from bot.slack.messages.phrases import all_facts

if TYPE_CHECKING:
    from tests.slack.messages.conftest import Story

LONGEST = ["&" * 9000, "x" * 9000, "🏭" * 9000, "x\n" * 9000]
forms = pytest.mark.parametrize("form", ["full", "simple", "plain"])
longest = pytest.mark.parametrize("text", LONGEST, ids=["escaped", "plain", "astral", "lines"])


def fits(rendered: Rendered) -> bool:
    check_message(list(rendered.blocks), None)
    return len(rendered.text) <= 4000


def wordy(story: Story, text: str) -> Connection:
    log = Log(
        id=text,
        at=story.three,
        status=10**12,
        description=text,
        error=text,
        app_id=text,
        integration_id=text,
        workflow_id=text,
        task_id=text,
        seconds=1e12,
    )
    return replace(
        story.row,
        name=text,
        app_id=text,
        url=text,
        type=text,
        authentication=text,
        username=text,
        latest_log=log,
        integration_count=10**12,
        created=story.three,
        password_exists=True,
        token_exists=True,
        is_testable=True,
    )


def silence_of(story: Story, text: str) -> Silence:
    return Silence(until=story.later, reason=text, by=Person(id="U1", name=text))


def outage(story: Story, text: str, *, over: bool) -> Episode:
    episode = story.episode(
        site=text,
        connection=text,
        row=wordy(story, text),
        why=Why.WHILE_BLIND,
        not_before=story.three,
        families=tuple(story.family(text, count=10**9, message=0 if n < 5 else n) for n in range(20)),
    )
    if not over:
        return episode
    return replace(
        episode,
        end=story.later,
        end_why=Why.WHILE_AWAY,
        end_not_before=story.three,
        closing=Closing.RECOVERED,
    )


@forms
@longest
@pytest.mark.parametrize("over", [False, True])
def test_an_outage_fits(story: Story, form: str, text: str, over: bool) -> None:
    person = Person(id="U1", name=text)
    thread = story.thread(
        site=text, mentions=("S0ONCALL",), phase=Phase.CLOSED if over else Phase.OPEN, ack_by=person, ack_at=story.later
    )
    episode = outage(story, text, over=over)

    assert fits(story.root(thread, episode, form=form))
    assert fits(story.reply(thread, episode, kind=MessageKind.REMINDER, form=form))
    reply = {"episode": "plant#1", "error": text}
    assert fits(story.reply(thread, episode, kind=MessageKind.RECOVERED, form=form, **reply))


@forms
@longest
def test_an_error_and_a_blindness_fit(story: Story, form: str, text: str) -> None:
    error = replace(outage(story, text, over=False), kind=EpisodeKind.ERROR)
    failure = Failure(kind="timeout", message=text, advice=text)
    blind = story.episode(site=text, connection=SITE, kind=EpisodeKind.BLIND, row=None, failure=failure)

    assert fits(story.root(story.thread(ThreadKind.ERROR, mentions=("here",)), error, form=form))
    assert fits(story.root(story.thread(ThreadKind.SITE, mentions=("here",)), blind, form=form))


@forms
@longest
@pytest.mark.parametrize("number", [12, 200])
def test_a_baseline_fits(story: Story, form: str, text: str, number: int) -> None:
    half = number // 2
    episodes = [outage(story, text, over=n < half) for n in range(number)]
    thread = story.thread(ThreadKind.BASELINE, site=text, mentions=("here",), silence=silence_of(story, text))

    assert fits(story.root(thread, *episodes, form=form, watched=10**9, unreadable=10**9))
    assert fits(story.reply(thread, *episodes, kind=MessageKind.REMINDER, form=form))


@forms
@longest
@pytest.mark.parametrize(("number", "phase"), [(1, Phase.CLOSED), (20, Phase.OPEN), (600, Phase.FLAPPING)])
def test_a_group_fits_however_many_it_has(story: Story, form: str, text: str, number: int, phase: Phase) -> None:
    """And each member of a page of its list is in the full form, whatever the names."""
    over = (phase is Phase.CLOSED, phase is not Phase.OPEN)
    episodes = [replace(outage(story, text, over=over[n % 2]), id=f"e{n}") for n in range(number)]
    everybody = tuple(f"S{n:019}" for n in range(60))
    thread = story.thread(
        ThreadKind.GROUP,
        site=text,
        mentions=everybody,
        escalate_to=everybody,
        phase=phase,
        changes=10**9,
        watched=10**9,
        settle_at=story.later,
    )

    # Whom it calls and what silences it are never shown together.
    for silence in (None, silence_of(story, text)):
        assert fits(story.root(replace(thread, silence=silence), *episodes, form=form))
    for kind in (MessageKind.REMINDER, MessageKind.ESCALATED, MessageKind.OVER):
        assert fits(story.reply(thread, *episodes, kind=kind, form=form))
    for kind in (MessageKind.GROWN, MessageKind.REOPENED, MessageKind.SETTLED):
        assert fits(story.reply(thread, *episodes, kind=kind, form=form, down=number, was=10**9, changes=10**9))
    for page in range(-(-(number - ROOT_HOLDS) // LIST_HOLDS)):
        listed = story.reply(thread, *episodes, kind=MessageKind.LIST, form=form, page=page)
        assert fits(listed)
        if form == "full":
            [*_, bullets] = listed.blocks[0]["elements"]
            assert len(bullets["elements"]) == min(LIST_HOLDS, number - ROOT_HOLDS - page * LIST_HOLDS)


@forms
@longest
def test_many_sites_fit(story: Story, form: str, text: str) -> None:
    failure = Failure(kind="timeout", message=text, advice=text)
    sites = [
        story.episode(id=f"e{n}", site=text, connection=SITE, kind=EpisodeKind.BLIND, row=None, failure=failure)
        for n in range(50)
    ]
    thread = story.thread(ThreadKind.SITE, site=text, silence=silence_of(story, text))

    assert fits(story.root(thread, *sites, form=form))
    assert fits(story.reply(thread, *sites, kind=MessageKind.REMINDER, form=form))


@forms
@longest
@pytest.mark.parametrize("number", [0, 1, 8, 600])
def test_a_mute_fits_however_many_it_names(story: Story, form: str, text: str, number: int) -> None:
    """A whole site where it names no connection."""
    muted: dict[str, Json] = {
        "by": {"id": "U1", "name": text},
        "until": story.later.isoformat(),
        "reason": text,
        "site": None if number else text,
        "connections": [text] * number,
    }
    for kind in (ThreadKind.OUTAGE, ThreadKind.GROUP):
        thread = story.thread(kind, site=text, silence=silence_of(story, text))
        for said in (MessageKind.MUTED, MessageKind.UNMUTED):
            assert fits(story.reply(thread, story.episode(), kind=said, form=form, **muted))


@forms
@longest
def test_changes_fit(story: Story, form: str, text: str) -> None:
    fields = tuple(FieldChange(field=name, before=text, after=text) for name in WATCHED_FIELDS)
    change = Change(kind=ChangeKind.CHANGED, connection=text, name=text, fields=fields)
    unreadable = Change(kind=ChangeKind.UNREADABLE, connection=text, name=text, detail=text)
    for one in (change, unreadable):
        thread = story.thread(ThreadKind.CHANGES, site=text)
        assert fits(story.root(thread, form=form, changes=[one.as_json()] * 100))


@longest
def test_the_facts_of_a_lookup_leave_room_for_more(story: Story, text: str) -> None:
    blocks = fact_blocks(all_facts(wordy(story, text)))

    check_message(blocks, None)
    assert sum(len(field["text"]) for block in blocks for field in block["fields"]) <= 9000
