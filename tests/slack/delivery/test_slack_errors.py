"""Every error that Slack documents for the calls of a delivery is in a class on purpose."""

from __future__ import annotations

import pytest

from bot.slack.errors import KNOWN, Ambiguous, Gone, Malformed, Refused, Scope, from_answer

TRANSIENT = "internal_error fatal_error request_timeout service_unavailable update_failed invalid_cursor"
MALFORMED = """
    attachment_payload_limit_exceeded cant_broadcast_message invalid_arg_name invalid_arguments invalid_array_arg
    invalid_attachments invalid_blocks invalid_blocks_format invalid_charset invalid_form_data invalid_metadata_format
    invalid_metadata_schema markdown_text_conflict metadata_too_large msg_blocks_too_long msg_too_long no_text
    slack_connect_canvas_sharing_blocked slack_connect_file_link_sharing_blocked slack_connect_lists_sharing_blocked
    too_many_attachments too_many_contact_cards
"""
GONE = """
    block_mismatch cannot_reply_to_message cant_update_message edit_window_closed message_not_found thread_not_found
"""
PERMANENT = {
    Scope.CHANNEL: """
        access_denied channel_not_found ekm_access_denied external_channel_migrating is_archived is_inactive
        messages_tab_disabled no_permission not_in_channel restricted_action restricted_action_non_threadable_channel
        restricted_action_read_only_channel restricted_action_thread_locked restricted_action_thread_only_channel
        team_access_not_granted team_not_found
    """,
    Scope.WORKSPACE: """
        accesslimited account_inactive app_access_restricted enterprise_is_restricted invalid_auth
        not_allowed_token_type not_authed org_login_required team_added_to_org token_expired token_revoked
        two_factor_setup_required
    """,
    Scope.METHOD: """
        as_user_not_supported deprecated_endpoint invalid_post_type message_limit_exceeded
        metadata_must_be_sent_from_app method_deprecated missing_post_type missing_scope
    """,
    Scope.MESSAGE: """
        agent_prompt_display_not_allowed draft_already_deleted draft_already_sent draft_has_conflict draft_not_found
        duplicate_channel_not_found duplicate_message_not_found invalid_limit invalid_metadata_filter_keys
        invalid_ts_latest invalid_ts_oldest missing_file_data no_dual_broadcast_content_update pagination_not_available
        send_on_behalf_not_allowed streaming_state_conflict
    """,
}


@pytest.mark.parametrize("error", TRANSIENT.split())
def test_what_may_pass_is_found_out_about_and_never_taken_for_a_refusal(error: str) -> None:
    assert type(from_answer(error)) is Ambiguous


@pytest.mark.parametrize("error", MALFORMED.split())
def test_what_is_wrong_with_a_message_asks_for_a_simpler_form(error: str) -> None:
    assert type(from_answer(error)) is Malformed


@pytest.mark.parametrize("error", GONE.split())
def test_what_can_no_longer_be_reached_is_posted_anew(error: str) -> None:
    assert type(from_answer(error)) is Gone


@pytest.mark.parametrize(("scope", "error"), [(scope, e) for scope, named in PERMANENT.items() for e in named.split()])
def test_a_permanent_refusal_holds_up_what_it_is_about(scope: Scope, error: str) -> None:
    """One channel that refuses must not silence the others: only what is about the token holds up the workspace."""
    found = from_answer(error)
    assert type(found) is Refused
    assert found.scope is scope


def test_none_of_them_is_classed_by_default_and_only_the_unknown_is() -> None:
    documented = " ".join((TRANSIENT, MALFORMED, GONE, *PERMANENT.values())).split()
    assert [error for error in documented if error not in KNOWN] == []
    found = from_answer("brand_new")
    assert type(found) is Refused
    assert found.scope is Scope.MESSAGE
