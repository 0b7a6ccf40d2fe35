"""What documents the settings names every one of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from bot.settings import SettingDoc, reference
from tests.settings.conftest import ENVIRONMENT, Place

CONFIG = Path(__file__).parents[2] / "config"
EXAMPLE = (CONFIG / "bot.example.toml").read_text(encoding="utf-8")
DOCS = reference()


def _id(doc: SettingDoc) -> str:
    return f"{doc.table}.{doc.keys[0]}"


def _section(table: str) -> str:
    """The part of the example about one table."""
    parts = re.split(r"(?m)^#+\[+(\w+)\]+$", EXAMPLE)
    return (
        parts[0]
        if not table
        else "".join(text for name, text in zip(parts[1::2], parts[2::2], strict=True) if name == table)
    )


@pytest.mark.parametrize("doc", DOCS, ids=_id)
def test_the_example_names_every_setting(doc: SettingDoc) -> None:
    text = _section(doc.table)

    for name in doc.keys:
        assert re.search(rf"\b{name}\b", text), f"{name} is missing in [{doc.table}]"
    if doc.env:
        assert re.search(rf"\b{doc.env[0]}\b", EXAMPLE)


@pytest.mark.parametrize("doc", [doc for doc in DOCS if doc.default is not None], ids=_id)
def test_the_example_shows_each_default(doc: SettingDoc) -> None:
    if (doc.table, doc.keys[0]) == ("maintenance", "timezone"):
        assert "Default: UTC" in _section("maintenance")
        return
    found = re.search(rf'(?m)^#+{doc.keys[0]} = "?([^"\n]*)"?$', _section(doc.table))

    assert found
    assert found[1] == doc.default or doc.keys[0] == "name"


@pytest.mark.parametrize("doc", DOCS, ids=_id)
def test_every_setting_has_a_meaning(doc: SettingDoc) -> None:
    assert doc.meaning.endswith(".")
    assert doc.default is None or not doc.required or doc.keys == ("name",)


def test_the_reference_tells_names_defaults_and_secrets() -> None:
    by_name = {(doc.table, doc.keys[0]): doc for doc in DOCS}

    token = by_name["itempath", "token_env"]
    assert (token.keys, token.env) == (("token_env", "token_file"), ("ITEMPATH_TOKEN", "ITEMPATH_TOKEN_FILE"))
    assert token.secret
    assert by_name["", "listen"].default == "127.0.0.1:8080"
    assert by_name["", "database_url"].default == "sqlite:///data/bot.db"
    assert by_name["alerts", "escalate_after"].default == "off"
    assert by_name["alerts", "keep_events"].default == "90d"
    assert by_name["itempath", "verify_tls"].default == "true"
    assert by_name["itempath", "url"].required
    assert by_name["sites", "name"].required


def test_the_contracts_variables_are_all_there() -> None:
    names = {name for doc in DOCS for name in doc.env}

    assert names == {
        *("ITEMPATH_URL", "ITEMPATH_TOKEN", "ITEMPATH_TOKEN_FILE", "ITEMPATH_USERNAME"),
        *("ITEMPATH_PASSWORD", "ITEMPATH_PASSWORD_FILE", "SLACK_BOT_TOKEN", "SLACK_BOT_TOKEN_FILE"),
        *("SLACK_APP_TOKEN", "SLACK_APP_TOKEN_FILE", "SLACK_SIGNING_SECRET", "SLACK_SIGNING_SECRET_FILE"),
        *("SLACK_CHANNEL", "SLACK_API_URL", "BOT_DATABASE_URL", "BOT_DATABASE_URL_FILE"),
        *("BOT_LISTEN", "BOT_POLL_INTERVAL", "BOT_LOG_FORMAT", "BOT_LOG_LEVEL"),
    }


TOKENS = {
    "ITEMPATH_TOKEN": "application-token",
    "VIENNA_TOKEN": "application-token",
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "SLACK_SIGNING_SECRET": "0123456789abcdef",
}


def test_the_example_loads_as_it_stands(place: Place) -> None:
    assert place.load(EXAMPLE) == place.load("", environ=ENVIRONMENT)


def test_the_example_loads_with_everything_switched_on(place: Place) -> None:
    place.write("-----BEGIN CERTIFICATE-----", "config/itempath-ca.pem")
    everything = re.sub(r"(?m)^#(?=[\[a-z])", "", EXAMPLE)

    loaded = place.load(everything, environ=TOKENS)

    assert loaded.sites[0].channel == "#warehouse-vienna"
    assert (len(loaded.routes), len(loaded.maintenance)) == (1, 2)
    assert loaded.maintenance[1].schedule is not None


def test_the_example_loads_with_several_sites(place: Place) -> None:
    place.write("hunter2", "config/graz-password")
    without_one = re.sub(r"(?ms)^#\[itempath\]$.*?(?=^## )", "", EXAMPLE)
    several = re.sub(r"(?m)^##?(?=[\[a-z])", "", without_one)

    loaded = place.load(several, environ={**TOKENS, "ITEMPATH_TOKEN": ""})

    assert [(site.name, site.channel) for site in loaded.sites] == [
        ("vienna", "#warehouse-vienna"),
        ("graz", "#warehouse-alerts"),
    ]


SCOPES = ["chat:write", "commands", "channels:read", "groups:read", "channels:history", "groups:history"]


@pytest.mark.parametrize("kind", ["socket", "http"])
def test_the_manifests_ask_for_the_least_and_explain_each_scope(kind: str) -> None:
    text = (CONFIG / f"slack-manifest-{kind}.yaml").read_text(encoding="utf-8")
    manifest: dict[str, Any] = yaml.safe_load(text)

    assert set(manifest) == {"display_information", "features", "oauth_config", "settings"}
    assert manifest["oauth_config"] == {"scopes": {"bot": SCOPES}}
    lines = [line.strip() for line in text.splitlines()]
    for scope in SCOPES:
        assert lines[lines.index(f"- {scope}") - 1].startswith("# ")
    assert len(manifest["display_information"]["name"]) <= 35
    assert len(manifest["display_information"]["description"]) <= 140
    (command,) = manifest["features"]["slash_commands"]
    assert command["command"] == "/connection"
    assert command["usage_hint"]
    assert manifest["settings"]["interactivity"]["is_enabled"] is True
    # Only what the bot answers is declared: it reads no messages, and shows its Home tab to who opens it.
    assert manifest["settings"]["event_subscriptions"]["bot_events"] == ["app_home_opened"]
    assert manifest["features"]["app_home"] == {"home_tab_enabled": True, "messages_tab_enabled": False}


def test_an_app_has_either_socket_mode_or_request_urls() -> None:
    socket = yaml.safe_load((CONFIG / "slack-manifest-socket.yaml").read_text(encoding="utf-8"))
    http = yaml.safe_load((CONFIG / "slack-manifest-http.yaml").read_text(encoding="utf-8"))
    address = "https://YOUR-HOST/slack/events"

    assert socket["settings"]["socket_mode_enabled"] is True
    assert "url" not in socket["features"]["slash_commands"][0]
    assert http["settings"]["socket_mode_enabled"] is False
    assert http["settings"]["interactivity"]["request_url"] == address
    assert http["features"]["slash_commands"][0]["url"] == address
