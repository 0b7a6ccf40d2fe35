"""The metrics that dashboards hold on to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.telemetry import Metrics

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def samples(metrics: Metrics) -> dict[str, float]:
    page, _ = metrics.render()
    return {
        f"{sample.name}{sorted(sample.labels.items())}": sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return samples(metrics)[f"{name}{sorted(labels.items())}"]


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(version="1.2.3")


def test_the_page_holds_the_contracts_metrics_and_no_others(metrics: Metrics) -> None:
    metrics.watch("vienna")
    metrics.polled("vienna", "ok", seconds=0.2)
    metrics.message("chat.postMessage", "ok")

    names = {key.partition("[")[0] for key in samples(metrics)}
    assert {name for name in names if name.startswith("itempath_bot_")} == {
        "itempath_bot_build_info",
        "itempath_bot_polls_total",
        "itempath_bot_poll_duration_seconds_bucket",
        "itempath_bot_poll_duration_seconds_count",
        "itempath_bot_poll_duration_seconds_sum",
        "itempath_bot_connections",
        "itempath_bot_incidents_open",
        "itempath_bot_messages_pending",
        "itempath_bot_messages_total",
        "itempath_bot_last_successful_poll_timestamp_seconds",
    }
    assert all(name.startswith(("itempath_bot_", "process_")) for name in names)


def test_the_page_says_its_type_and_version(metrics: Metrics) -> None:
    _, content_type = metrics.render()

    assert content_type.startswith("text/plain; version=")
    assert value(metrics, "itempath_bot_build_info", version="1.2.3") == 1


def test_a_site_shows_all_three_states_from_the_beginning(metrics: Metrics) -> None:
    metrics.watch("vienna", last_good=NOW)

    assert [value(metrics, "itempath_bot_connections", site="vienna", state=s) for s in ("up", "down", "unknown")] == [
        0,
        0,
        0,
    ]
    assert value(metrics, "itempath_bot_incidents_open", site="vienna") == 0
    assert value(metrics, "itempath_bot_last_successful_poll_timestamp_seconds", site="vienna") == NOW.timestamp()
    assert value(metrics, "itempath_bot_poll_duration_seconds_count", site="vienna") == 0


def test_a_site_never_read_has_the_time_zero(metrics: Metrics) -> None:
    metrics.watch("vienna")

    assert value(metrics, "itempath_bot_last_successful_poll_timestamp_seconds", site="vienna") == 0


def test_a_failed_poll_leaves_the_time_of_the_last_good_one(metrics: Metrics) -> None:
    metrics.polled("vienna", "ok", seconds=0.2, good_at=NOW)
    metrics.polled("vienna", "timeout", seconds=10)

    assert value(metrics, "itempath_bot_polls_total", site="vienna", outcome="ok") == 1
    assert value(metrics, "itempath_bot_polls_total", site="vienna", outcome="timeout") == 1
    assert value(metrics, "itempath_bot_poll_duration_seconds_sum", site="vienna") == pytest.approx(10.2)
    assert value(metrics, "itempath_bot_last_successful_poll_timestamp_seconds", site="vienna") == NOW.timestamp()


def test_gauges_show_the_last_value_and_counters_add_up(metrics: Metrics) -> None:
    metrics.connections("vienna", up=3, down=1, unknown=2)
    metrics.incidents_open("vienna", 1)
    metrics.messages_pending(5)
    metrics.messages_pending(4)
    metrics.message("chat.update", "ratelimited")
    metrics.message("chat.update", "ratelimited")

    assert [value(metrics, "itempath_bot_connections", site="vienna", state=s) for s in ("up", "down", "unknown")] == [
        3,
        1,
        2,
    ]
    assert value(metrics, "itempath_bot_incidents_open", site="vienna") == 1
    assert value(metrics, "itempath_bot_messages_pending") == 4
    assert value(metrics, "itempath_bot_messages_total", method="chat.update", outcome="ratelimited") == 2


def test_two_bots_of_one_process_do_not_add_up(metrics: Metrics) -> None:
    other = Metrics(version="1.2.3")
    metrics.messages_pending(5)

    assert value(other, "itempath_bot_messages_pending") == 0
