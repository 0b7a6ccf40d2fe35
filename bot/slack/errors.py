"""What Slack's answers mean for a delivery: was it accepted, is there a point in trying again, and what does it hold up.

Sources: the error lists on Slack's pages of chat.postMessage, chat.update, conversations.history, conversations.replies
and auth.test. Each error there is in one of the sets below. What is in none is about its message alone: kept, and tried
again ever more slowly.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Scope(enum.StrEnum):
    """What a refusal is about, and so what it holds up: that, and no more."""

    MESSAGE = "message"
    CHANNEL = "channel"
    METHOD = "method"
    WORKSPACE = "workspace"


class SlackError(Exception):
    """A call that did not succeed. `error` is Slack's own word for it, or ours for what is no answer."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class RateLimited(SlackError):
    """429: certainly not accepted; to be tried again after `retry_after` seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("ratelimited")
        self.retry_after = retry_after


class Ambiguous(SlackError):
    """No answer, or one that does not tell whether the call was carried out."""


class Obstacle(enum.StrEnum):
    """What is between the bot and Slack when a connection does not come about."""

    NAME = "name"
    """The host's name cannot be resolved."""
    CLOSED = "closed"
    """Nothing listens there."""
    PROXY = "proxy"
    """The proxy that the environment names cannot be reached, or lets nothing through."""
    CERTIFICATE = "certificate"
    """Who answers cannot prove to be that host: often a firewall that looks into TLS."""
    ADDRESS = "address"
    """The address is none."""
    NETWORK = "network"
    """Anything else: no route, or silence."""


class NotSent(SlackError):
    """Slack could not be reached: certainly not accepted."""

    def __init__(self, error: str, *, obstacle: Obstacle = Obstacle.NETWORK) -> None:
        super().__init__(error)
        self.obstacle = obstacle


class Refused(SlackError):
    """Slack answered `ok: false`: certainly not accepted, and not before something changes."""

    def __init__(self, error: str, *, scope: Scope, needed: str | None = None) -> None:
        super().__init__(error)
        self.scope = scope
        self.needed = needed
        """The scope that the token lacks, when Slack names it."""


class Malformed(Refused):
    """Slack calls the message itself wrong: a simpler form of it may pass."""

    def __init__(self, error: str) -> None:
        super().__init__(error, scope=Scope.MESSAGE)


class Gone(Refused):
    """The message to edit, or the thread to reply to, is not there or not ours any more."""

    def __init__(self, error: str) -> None:
        super().__init__(error, scope=Scope.MESSAGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """Words for a person about an error of Slack's."""

    meaning: str
    remedy: str


_AMBIGUOUS = frozenset(
    {
        "internal_error",
        "fatal_error",
        "request_timeout",
        "service_unavailable",
        "update_failed",
        # Of a page that was turned too late: the next look begins anew, and until then nothing is known.
        "invalid_cursor",
    }
)
_MALFORMED = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "invalid_attachments_format",
        "attachment_payload_limit_exceeded",
        "invalid_arg_name",
        "invalid_array_arg",
        "invalid_charset",
        "invalid_json",
        "too_many_attachments",
        "too_many_contact_cards",
        "msg_blocks_too_long",
        "msg_too_long",
        "no_text",
        "invalid_metadata_format",
        "invalid_metadata_schema",
        "metadata_too_large",
        "invalid_arguments",
        "invalid_form_data",
        "markdown_text_conflict",
        "cant_broadcast_message",
        # About a link in the text, which a foreign error may quote: the other messages of the channel hold none.
        "slack_connect_file_link_sharing_blocked",
        "slack_connect_canvas_sharing_blocked",
        "slack_connect_lists_sharing_blocked",
    }
)
_GONE = frozenset(
    {
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        # A simpler form has no rich text any more, and cannot take the place of one that has.
        "block_mismatch",
        "thread_not_found",
        "cannot_reply_to_message",
    }
)
_CHANNEL = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "is_inactive",
        "messages_tab_disabled",
        "restricted_action",
        "restricted_action_read_only_channel",
        "restricted_action_thread_only_channel",
        "restricted_action_non_threadable_channel",
        "restricted_action_thread_locked",
        "external_channel_migrating",
        "channel_type_not_supported",
        "method_not_supported_for_channel_type",
        "team_access_not_granted",
        # "Make sure your app is a member of the conversation": in another one it may be.
        "no_permission",
        "access_denied",
        "ekm_access_denied",
        # Of the message and the channel; the bot's own is there, or its token would be refused.
        "team_not_found",
    }
)
_WORKSPACE = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_expired",
        "token_revoked",
        "not_allowed_token_type",
        "org_login_required",
        "accesslimited",
        "app_access_restricted",
        "two_factor_setup_required",
        "team_added_to_org",
        "enterprise_is_restricted",
    }
)
_METHOD = frozenset(
    {
        "missing_scope",
        "method_deprecated",
        "deprecated_endpoint",
        "unknown_method",
        "message_limit_exceeded",
        "metadata_must_be_sent_from_app",
        # However it is called, it is called so each time; something between may take a header away.
        "as_user_not_supported",
        "invalid_post_type",
        "missing_post_type",
    }
)
_MESSAGE = frozenset(
    {
        # About arguments that the bot does not give, and states that its messages never have.
        "agent_prompt_display_not_allowed",
        "draft_already_deleted",
        "draft_already_sent",
        "draft_has_conflict",
        "draft_not_found",
        "duplicate_channel_not_found",
        "duplicate_message_not_found",
        "missing_file_data",
        "no_dual_broadcast_content_update",
        "send_on_behalf_not_allowed",
        "streaming_state_conflict",
        # A look that is refused so would be refused again.
        "invalid_limit",
        "invalid_metadata_filter_keys",
        "invalid_ts_latest",
        "invalid_ts_oldest",
        "pagination_not_available",
    }
)
KNOWN = _AMBIGUOUS | _MALFORMED | _GONE | _CHANNEL | _WORKSPACE | _METHOD | _MESSAGE

A_BOT = "@your-bot"
"""For the name of the bot, where it is not known."""

ADVICE = {
    "channel_not_found": Advice(
        meaning="Slack does not know the channel, or the bot may not see it",
        remedy=f"check the channel's name or id, and invite the bot: /invite {A_BOT}",
    ),
    "not_in_channel": Advice(meaning="the bot is not in the channel", remedy=f"invite it there: /invite {A_BOT}"),
    "is_archived": Advice(meaning="the channel is archived", remedy="unarchive it, or configure another channel"),
    "invalid_auth": Advice(
        meaning="Slack does not accept the bot token",
        remedy="copy the Bot User OAuth Token (xoxb-…) from the app's page Install App again",
    ),
    "token_revoked": Advice(
        meaning="the bot token was revoked", remedy="reinstall the app to the workspace and set the new token"
    ),
    "account_inactive": Advice(
        meaning="the app was removed from the workspace", remedy="install it again and set the new token"
    ),
    "missing_scope": Advice(
        meaning="the app lacks a permission", remedy="update the app from the manifest in config/ and reinstall it"
    ),
    "ratelimited": Advice(meaning="Slack asks to slow down", remedy="nothing: the bot waits as long as Slack says"),
    "unreachable": Advice(meaning="Slack cannot be reached", remedy="check this machine's network, proxy and DNS"),
    "no_answer": Advice(
        meaning="Slack did not answer", remedy="nothing, if it passes; else check network, proxy and slack-status.com"
    ),
    "unreadable_answer": Advice(
        meaning="what answered did not speak like Slack",
        remedy="check `SLACK_API_URL` and whether a proxy answers instead",
    ),
    "cannot_render": Advice(
        meaning="the bot could not write the message", remedy="see the log; this is a fault of the bot"
    ),
}
_BROKEN = Advice(meaning="Slack has trouble of its own", remedy="nothing, if it passes; see slack-status.com")
_OTHERWISE = Advice(meaning="Slack refused", remedy="look the error up on Slack's page of the method")


def from_answer(error: str, *, needed: str | None = None) -> SlackError:
    """The typed form of an answer `{"ok": false, "error": …}`."""
    if error in _AMBIGUOUS:
        return Ambiguous(error)
    if error in _MALFORMED:
        return Malformed(error)
    if error in _GONE:
        return Gone(error)
    for names, scope in ((_CHANNEL, Scope.CHANNEL), (_WORKSPACE, Scope.WORKSPACE), (_METHOD, Scope.METHOD)):
        if error in names:
            return Refused(error, scope=scope, needed=needed)
    return Refused(error, scope=Scope.MESSAGE, needed=needed)


def advice(error: str) -> Advice:
    """What the error means and what to do, for whoever reads `/status`, the log or `check`."""
    if error in _AMBIGUOUS or error.startswith("http_"):
        return _BROKEN
    return ADVICE.get(error, _OTHERWISE)
