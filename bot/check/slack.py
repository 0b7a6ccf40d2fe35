"""Does Slack let the bot in, may it do what it must, is it in every channel, and can people reach it?"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from yarl import URL

from bot.check.lines import Line, Verdict, unasked, warning, wrong
from bot.settings.models import SLACK_API_URL, SlackSettings
from bot.slack.calls import SlackCalls
from bot.slack.errors import A_BOT, Ambiguous, NotSent, Obstacle, Refused, Scope, SlackError, advice
from bot.store.outgoing import NO_SUCH_CHANNEL

_BY_MANIFEST = "update the app from the manifest in config/ and reinstall it to the workspace"
_TEST = "This is a test of the ItemPath alert bot: alerts will come to this channel. Nothing is wrong."

Scopes = frozenset[str] | None
"""What the token may do; `None` when Slack does not say."""


async def check_slack(
    slack: SlackSettings, *, channels: Sequence[str], remembered: Mapping[str, str], listen: str, send: bool
) -> AsyncIterator[Line]:
    """`channels` as configured; `remembered` holds the ids that the bot keeps for names of them."""
    interactive = slack.app_token is not None or slack.signing_secret is not None
    calls = SlackCalls(token=slack.bot_token.get_secret_value(), api_url=slack.api_url)
    refusal: SlackError | None = None
    try:
        try:
            answer = await calls.call("auth.test")
        except SlackError as error:
            refusal = error
            yield refused("slack", error, slack.api_url)
            for what in ("slack scopes", *_about(channels, send=send)):
                yield unasked(what, _why_not(error))
        else:
            # A stand-in for Slack may tell ids alone.
            name = answer.get("user")
            who, where = name or answer.get("user_id"), answer.get("team") or "workspace"
            yield Line(what="slack", said=f"the token is good: {who} in {where} ({answer.get('team_id')})")
            yield _scopes(calls.scopes, interactive=interactive)
            async for line in _channels(calls, channels, remembered, send=send):
                yield replace(line, remedy=line.remedy.replace(A_BOT, f"@{name}" if name else A_BOT))
    finally:
        await calls.close()
    if slack.app_token is not None:
        # Another token: the one being refused says nothing about it.
        if refusal is None or isinstance(refusal, Refused):
            yield await _socket_mode(slack.app_token.get_secret_value(), slack.api_url)
        else:
            yield unasked("socket mode", _why_not(refusal))
    if slack.signing_secret is not None:
        yield Line(
            what="request url",
            said=f"a signing secret is set; Slack must reach POST /slack/events on {listen} over HTTPS, which only Slack can try",
        )
    if not interactive:
        yield warning(
            "commands",
            "neither an app-level token nor a signing secret is set: no slash command and no buttons",
            "set SLACK_APP_TOKEN for Socket Mode (Slack need not reach this machine), or SLACK_SIGNING_SECRET",
        )


def _about(channels: Sequence[str], *, send: bool) -> list[str]:
    """What is asked about channels, in its order."""
    kinds = ("channel {}", "test alert to {}") if send else ("channel {}",)
    return [kind.format(channel) for channel in channels for kind in kinds]


async def _channels(
    calls: SlackCalls, channels: Sequence[str], remembered: Mapping[str, str], *, send: bool
) -> AsyncIterator[Line]:
    found = await _find(calls, channels, remembered)
    for channel in channels:
        line = await _channel(calls, channel, found[channel], calls.scopes)
        yield line
        if send and line.verdict is Verdict.WRONG:
            yield unasked(f"test alert to {channel}", "nothing can be posted there")
        elif send:
            yield await _send(calls, channel, found[channel])


def _scopes(scopes: Scopes, *, interactive: bool) -> Line:
    what = "slack scopes"
    if scopes is None:
        return warning(what, "Slack did not say what the token may do", "look at OAuth & Permissions of the app")
    if "chat:write" not in scopes:
        return wrong(what, "chat:write is missing: the bot cannot post", _BY_MANIFEST)
    if interactive and "commands" not in scopes:
        return warning(what, "commands is missing: Slack does not offer /connection", _BY_MANIFEST)
    return Line(what=what, said=", ".join(sorted(scopes)))


Found = str | SlackError
"""A channel's id, or why there is none."""


async def _find(calls: SlackCalls, channels: Sequence[str], remembered: Mapping[str, str]) -> dict[str, Found]:
    """As the bot will: an id is an id, a name that it remembers keeps its id, any other name is looked up."""
    found: dict[str, Found] = {name: name for name in channels if not name.startswith("#")}
    found.update(remembered)
    wanted = [name for name in channels if name not in found]
    if not wanted:
        return found
    try:
        by_name = await _list(calls)
    except SlackError as error:
        return found | dict.fromkeys(wanted, error)
    return found | {name: by_name.get(name[1:], SlackError(NO_SUCH_CHANNEL)) for name in wanted}


async def _list(calls: SlackCalls) -> dict[str, str]:
    by_name: dict[str, str] = {}
    cursor: str | None = None
    while True:
        answer = await calls.read(
            "conversations.list",
            types="public_channel,private_channel",
            exclude_archived=True,
            limit=1000,
            cursor=cursor,
        )
        by_name |= {str(each.get("name")): str(each.get("id")) for each in answer.get("channels") or ()}
        cursor = (answer.get("response_metadata") or {}).get("next_cursor") or None
        if cursor is None:
            return by_name


async def _channel(calls: SlackCalls, channel: str, found: Found, scopes: Scopes) -> Line:
    what = f"channel {channel}"
    try:
        if isinstance(found, SlackError):
            raise found
        answer = await calls.read("conversations.info", channel=found)
    except SlackError as error:
        if not isinstance(error, Refused) or error.scope is not Scope.METHOD:
            return refused(what, error, calls.api_url)
        # Posting needs no look, and takes a name too: nothing is known to be wrong.
        if error.error == "missing_scope":
            return warning(what, f"the bot may not look at it without {error.needed or 'a scope'}", _BY_MANIFEST)
        return warning(
            what, f"this server cannot be asked about it ({error.error})", "see whether `check --send` reaches it"
        )
    return _judged(what, found, answer.get("channel") or {}, scopes)


def _judged(what: str, channel_id: str, channel: Mapping[str, Any], scopes: Scopes) -> Line:
    if channel.get("is_archived"):
        return refused(what, SlackError("is_archived"), "")
    if channel.get("is_member") is False:
        if channel.get("is_private") or scopes is None or "chat:write.public" not in scopes:
            return refused(what, SlackError("not_in_channel"), "")
        told = "the bot is not in it: it may post (chat:write.public), but cannot look up what became of a post"
        return warning(what, told, advice("not_in_channel").remedy)
    history = _history(channel)
    if scopes is not None and history not in scopes:
        told = f"without {history} a message whose answer is lost may appear twice (delivery is at-least-once)"
        return warning(what, told, _BY_MANIFEST)
    name = f"#{channel['name']}" if channel.get("name") else "a direct message"
    return Line(what=what, said=f"the bot is in it ({name}, {channel_id})")


def _history(channel: Mapping[str, Any]) -> str:
    """The scope for reading it (Slack's page on `conversations.history`)."""
    if channel.get("is_im"):
        return "im:history"
    if channel.get("is_mpim"):
        return "mpim:history"
    return "groups:history" if channel.get("is_private") else "channels:history"


async def _send(calls: SlackCalls, channel: str, found: Found) -> Line:
    what = f"test alert to {channel}"
    block = {"type": "section", "text": {"type": "plain_text", "text": _TEST}}
    target = found if isinstance(found, str) else channel
    try:
        await calls.call("chat.postMessage", channel=target, text=_TEST, blocks=[block])
    except SlackError as error:
        return refused(what, error, calls.api_url)
    return Line(what=what, said="posted")


async def _socket_mode(app_token: str, api_url: str) -> Line:
    """Asks for an address to connect to, and does not connect: a connection would be handed real commands."""
    what = "socket mode"
    calls = SlackCalls(token=app_token, api_url=api_url)
    try:
        await calls.call("apps.connections.open")
    except Refused as error:
        return wrong(
            what,
            f"Slack does not accept the app-level token ({error.error})",
            "generate one with connections:write at Basic Information > App-Level Tokens, and switch Socket Mode on",
        )
    except SlackError as error:
        return refused(what, error, calls.api_url)
    finally:
        await calls.close()
    return Line(what=what, said="Slack offers a connection")


def refused(what: str, error: SlackError, api_url: str) -> Line:
    """What an error of Slack's, or on the way to it, means for whom it is told."""
    if isinstance(error, NotSent):
        return wrong(what, *_unreached(error, api_url))
    if isinstance(error, Ambiguous):
        return wrong(what, f"Slack did not answer ({error.error})", _no_answer(error, api_url))
    told = advice(error.error)
    if isinstance(error, Refused) and error.needed:
        return wrong(what, f"{told.meaning}: {error.needed}", told.remedy)
    return wrong(what, f"{told.meaning} ({error.error})", told.remedy)


def _why_not(error: SlackError) -> str:
    """Why there is no point in asking anything else."""
    if isinstance(error, NotSent):
        return "Slack is out of reach"
    return "Slack did not answer" if isinstance(error, Ambiguous) else advice(error.error).meaning


def _unreached(error: NotSent, api_url: str) -> tuple[str, str]:
    """What is in the way, and what to do about it."""
    host = URL(api_url).host or "slack.com"
    own = "check SLACK_API_URL" if api_url and api_url != SLACK_API_URL else ""
    by = {
        Obstacle.NAME: (
            f"the name {host} cannot be resolved (DNS)",
            "check this machine's name server; where only a proxy may go out, set HTTPS_PROXY",
        ),
        Obstacle.CLOSED: (
            f"{host} refuses the connection",
            "check this machine's firewall and its proxy (HTTPS_PROXY)",
        ),
        Obstacle.PROXY: (
            f"the proxy on the way to {host} cannot be reached, or lets nothing through",
            "check HTTPS_PROXY and HTTP_PROXY in the bot's environment (only http:// proxies work), and NO_PROXY",
        ),
        Obstacle.CERTIFICATE: (
            f"no trusted TLS connection to {host}",
            "a firewall or proxy that looks into TLS needs its authority among this machine's (SSL_CERT_FILE)",
        ),
        Obstacle.ADDRESS: (f"no request to {host} can be made", "check HTTPS_PROXY and SLACK_API_URL"),
        Obstacle.NETWORK: (
            f"no connection to {host}",
            f"let this machine's firewall allow HTTPS to {host}, or set HTTPS_PROXY if only a proxy may go out",
        ),
    }
    said, remedy = by[error.obstacle]
    mends = [own] if own and "SLACK_API_URL" not in remedy else []
    return f"Slack is out of reach: {said}", "; ".join([*mends, remedy])


def _no_answer(error: Ambiguous, api_url: str) -> str:
    if error.error == "unreadable_answer":
        return "what answered does not speak like Slack: check SLACK_API_URL, and whether a proxy answers (HTTPS_PROXY)"
    own = "" if api_url in ("", SLACK_API_URL) else "check SLACK_API_URL; "
    return f"{own}try again; https://slack-status.com tells of outages"
