"""Rate limits: counted in the workspace's own time."""

from __future__ import annotations

from bot.sandbox.slack.limits import RateLimits, post_rate


class Time:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_one_message_per_second_and_channel() -> None:
    time = Time()
    limits = RateLimits(time)
    assert limits.take("chat.postMessage", "C1") is None
    assert limits.take("chat.postMessage", "C2") is None
    time.now += 0.5
    assert limits.take("chat.postMessage", "C1") == 1
    time.now += 0.46  # a whole second, less what a network may take off it
    assert limits.take("chat.postMessage", "C1") is None


def test_edits_are_limited_for_the_workspace_and_retry_after_says_how_long() -> None:
    time = Time()
    limits = RateLimits(time)
    assert [limits.take("chat.update", f"C{n}") for n in range(50)] == [None] * 50
    time.now += 12.5
    assert limits.take("chat.update", "C0") == 48
    time.now += 48
    assert limits.take("chat.update", "C0") is None


def test_a_burst_must_be_paid_for_with_silence() -> None:
    time = Time()
    limits = RateLimits(time, rates={"chat.postMessage": post_rate(burst=3)})
    assert [limits.take("chat.postMessage", "C") for _ in range(4)] == [None, None, None, 3]


def test_limits_can_be_sped_up_switched_off_and_do_not_exist_for_every_method() -> None:
    time = Time()
    limits = RateLimits(time, speed=10)
    assert limits.take("chat.postMessage", "C") is None
    time.now += 0.1
    assert limits.take("chat.postMessage", "C") is None
    limits.enabled = False
    assert limits.take("chat.postMessage", "C") is None
    limits.enabled = True
    assert limits.take("auth.test", "") is None
