"""What an error says about the rest: an answer of any kind shows that Slack is there and knows the bot."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.slack.errors import Ambiguous, NotSent, RateLimited, SlackError, from_answer
from bot.slack.pace import POST, WORKSPACE, Pace
from bot.slack.waits import Waits
from tests.slack.delivery.test_plan import row

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("error", "there"),
    [
        (RateLimited(5), True),
        (from_answer("not_in_channel"), True),
        (from_answer("missing_scope"), True),
        (from_answer("invalid_blocks"), True),
        (from_answer("message_not_found"), True),
        (from_answer("invalid_auth"), False),
        (from_answer("internal_error"), False),
        (Ambiguous("timeout"), False),
        (NotSent("unreachable"), False),
    ],
    ids=lambda value: getattr(value, "error", ""),
)
def test_whatever_a_message_meets_shows_whether_the_workspace_still_refuses(error: SlackError, there: bool) -> None:
    pace = Pace()
    pace.back_off(WORKSPACE, NOW)
    Waits(pace).after(error, row(1), POST, NOW)
    assert pace.doubtful(WORKSPACE) is not there


def test_a_limit_that_is_met_again_and_again_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """Although calls succeed in between; it is said again when it was not met for long."""
    waits = Waits(Pace())
    for minute in (0, 1, 10, 19, 40):
        waits.after(RateLimited(5), row(1), POST, NOW + timedelta(minutes=minute))
        waits.works(row(1), POST)
    said = capsys.readouterr().out
    assert said.count("slack asks to slow down") == 2
    assert "takes it again" not in said
