"""How the page draws what Slack would draw: Block Kit, mrkdwn, attachments; and foreign text that stays text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

pytestmark = pytest.mark.browser

TS = 1_795_557_600.0  # 2026-11-24 22:00 UTC


def mrkdwn(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text, **more}


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": True}


def rich(*elements: dict[str, Any], kind: str = "rich_text_section", **more: Any) -> dict[str, Any]:
    return {"type": kind, "elements": list(elements), **more}


async def draw(page: Page, backend: Any, *blocks: dict[str, Any], text: str = "", **more: Any) -> Locator:
    """The body of a message with these blocks, on the page."""
    backend.add(text, ts=TS, **({"blocks": list(blocks)} if blocks else {}), **more)
    await page.goto(backend.url)
    body = page.locator("#messages .body")
    await body.wait_for()
    return body


async def markup(locator: Locator, selector: str) -> list[str]:
    return await locator.locator(selector).all_inner_texts()


async def test_headers_sections_fields_contexts_and_dividers(page: Page, backend: Any) -> None:
    body = await draw(
        page,
        backend,
        {"type": "header", "text": plain("PowerPick is down")},
        {"type": "section", "text": mrkdwn("*since* then"), "fields": [mrkdwn("*Type*\nMSSQL"), plain("*literal*")]},
        {"type": "divider"},
        {
            "type": "context",
            "elements": [
                mrkdwn("seen _once_"),
                {"type": "image", "alt_text": "Logo", "image_url": "https://x.example/l.png"},
            ],
        },
    )

    assert await markup(body, "h3.block-header") == ["PowerPick is down"]
    assert await markup(body, ".section-text strong") == ["since"]
    assert await markup(body, ".field") == ["Type\nMSSQL", "*literal*"]
    assert await body.locator("hr").count() == 1
    assert await markup(body, ".block-context em") == ["once"]
    assert await body.locator(".block-context .picture").get_attribute("aria-label") == "Logo"


async def test_rich_text_draws_styles_lists_quotes_code_and_every_kind_of_element(page: Page, backend: Any) -> None:
    def word(text: str, **style: bool) -> dict[str, Any]:
        return {"type": "text", "text": text, "style": style}

    body = await draw(
        page,
        backend,
        {
            "type": "rich_text",
            "elements": [
                rich(word("b", bold=True), word("i", italic=True), word("c", code=True), word("s", strike=True)),
                rich(
                    {"type": "link", "url": "https://x.example/", "text": "a link"},
                    {"type": "emoji", "name": "red_circle"},
                    {"type": "user", "user_id": "U2"},
                    {"type": "usergroup", "usergroup_id": "S1"},
                    {"type": "broadcast", "range": "here"},
                    {"type": "channel", "channel_id": "C2"},
                    {"type": "date", "timestamp": int(TS), "format": "{date_num} {time}", "fallback": "x"},
                ),
                rich(rich(word("first")), rich(word("second")), kind="rich_text_list", style="ordered", indent=1),
                rich(rich(word("point")), kind="rich_text_list", style="bullet"),
                rich(word("raw *text*"), kind="rich_text_preformatted"),
                rich(word("said"), kind="rich_text_quote"),
            ],
        },
    )

    for tag, text in {
        "strong": "b",
        "em": "i",
        "code": "c",
        "s": "s",
        "pre": "raw *text*",
        "blockquote": "said",
    }.items():
        assert await markup(body, tag) == [text]
    assert await body.locator("a").get_attribute("href") == "https://x.example/"
    assert await body.locator(".emoji").get_attribute("title") == ":red_circle:"
    assert await markup(body, ".mention") == ["@Jonas", "@S1", "@here", "#orders"]
    assert await markup(body, "time") == ["2026-11-24 10:00 PM"]
    assert await markup(body, "ol.indent-1 li") == ["first", "second"]
    assert await markup(body, "ul li") == ["point"]


async def test_tables_images_and_attachments(page: Page, backend: Any) -> None:
    def cell(text: str) -> dict[str, Any]:
        return {"type": "raw_text", "text": text}

    body = await draw(
        page,
        backend,
        {
            "type": "table",
            "column_settings": [{}, {"align": "right"}],
            "rows": [[cell("Name"), cell("Count")], [cell("SAP"), cell("7")]],
        },
        {"type": "image", "alt_text": "Uptime", "image_url": "https://x.example/u.png", "title": plain("Last day")},
        attachments=[
            {"color": "#e01e5a", "blocks": [{"type": "section", "text": mrkdwn("inside")}]},
            {"color": "url(x)", "text": "plain"},
        ],
    )

    assert await markup(body, "th") == ["Name", "Count"]
    assert await markup(body, "td") == ["SAP", "7"]
    assert await body.locator("td.right").count() == 1
    assert await body.locator(".block-image .picture").get_attribute("aria-label") == "Uptime"
    bars = body.locator(".attachment-body")
    assert await markup(bars.first, ".section-text") == ["inside"]
    assert await bars.first.evaluate("bar => getComputedStyle(bar).borderLeftColor") == "rgb(224, 30, 90)"
    assert await bars.last.evaluate("bar => bar.style.borderLeftColor") == ""


async def test_a_block_that_the_page_does_not_know_is_shown_as_such(page: Page, backend: Any) -> None:
    """Nothing vanishes silently: the type is named and the source is there; so too when a known block is malformed."""
    body = await draw(page, backend, {"type": "hologram", "x": 1}, {"type": "rich_text", "elements": 7})

    assert await markup(body, ".unknown-block summary") == [
        "Block “hologram” is not drawn here",
        "Broken block “rich_text” is not drawn here",
    ]
    source = await body.locator(".unknown-block pre").first.text_content()
    assert source == '{\n  "type": "hologram",\n  "x": 1\n}'


MRKDWN = [
    ("*b* _i_ ~s~ `c *x*`", "<strong>b</strong> <em>i</em> <s>s</s> <code>c *x*</code>"),
    ("2*3*4 snake_case_name", "2*3*4 snake_case_name"),
    ("*bold _both_*", "<strong>bold <em>both</em></strong>"),
    ("a &amp; b &lt;c&gt; &amp;lt;", "a &amp; b &lt;c&gt; &amp;lt;"),
    ("&lt;!here&gt; &lt;@U1&gt;", "&lt;!here&gt; &lt;@U1&gt;"),
    (":nosuchemoji: 12:30:45", ":nosuchemoji: 12:30:45"),
    ("<!date^1795557600^{date_short} {time}|then>", "Nov 24, 2026 10:00 PM"),
    ("<!date^nonsense^{date}|then>", "then"),
    ("<javascript:alert(1)|click>", "click"),
    ("*open _ends ~here `now", "*open _ends ~here `now"),
]


async def test_mrkdwn_styles_escapes_and_what_is_left_alone(page: Page, backend: Any) -> None:
    """Compared without the attributes and the neutral wrappers of the page's own."""
    body = await draw(page, backend, *({"type": "section", "text": mrkdwn(text)} for text, _ in MRKDWN))
    drawn = await body.locator(".section-text").evaluate_all(
        r"nodes => nodes.map(node => node.innerHTML.replace(/<(\w+)[^>]*>/g, '<$1>').replace(/<\/?(span|time)>/g, ''))"
    )

    assert dict(zip((text for text, _ in MRKDWN), drawn, strict=True)) == dict(MRKDWN)


async def test_mrkdwn_draws_links_mentions_quotes_and_code_blocks(page: Page, backend: Any) -> None:
    body = await draw(
        page,
        backend,
        text="<@U1> <!channel> <!subteam^S9|@ops> <#C2|orders> <https://x.example/?a=1&amp;b=2|here>\n&gt; quoted\n```one\n*two*```",
    )

    assert await markup(body, ".mention.mine") == ["@Mira", "@channel", "@ops"]
    assert await markup(body, ".channel-link") == ["#orders"]
    assert await body.locator("a").get_attribute("href") == "https://x.example/?a=1&b=2"
    assert await markup(body, "blockquote") == ["quoted"]
    assert await markup(body, "pre") == ["one\n*two*"]


async def test_bare_addresses_become_links_unless_verbatim(page: Page, backend: Any) -> None:
    """As in Slack; it is how foreign text turns into a link although its signs were escaped."""
    body = await draw(
        page,
        backend,
        {"type": "section", "text": mrkdwn("see https://x.example/a?b=1&amp;c=2.")},
        {"type": "section", "text": mrkdwn("see https://y.example/", verbatim=True)},
    )

    assert await markup(body, "a") == ["https://x.example/a?b=1&c=2"]


async def test_hostile_text_stays_text_everywhere(page: Page, backend: Any) -> None:
    """Whatever a foreign system writes is read as written: no element, no ping, no handler, in any place that shows it."""
    hostile = "<script>window.hit = 1</script><img src=x onerror='window.hit = 1'><!here>"
    escaped = hostile.replace("<", "&lt;").replace(">", "&gt;")
    backend.sites.append(
        {"name": hostile, "url": hostile, "reachable": True, "fault": None, "calls": 1, "connections": [
            {"id": 1, "name": hostile, "type": hostile, "status": 0, "integrationCount": 1, "latestLog": {"error": hostile}}
        ]}
    )  # fmt: skip
    root = backend.add(escaped, ts=TS - 9, blocks=[{"type": "hologram", "x": hostile}])
    backend.add(escaped, ts=TS - 8, thread_ts=root["ts"], subtype="thread_broadcast")
    backend.add(
        escaped,
        ts=TS,
        user=hostile,
        blocks=[
            {"type": "header", "text": plain(hostile)},
            {"type": "section", "text": mrkdwn(escaped)},
            {"type": "rich_text", "elements": [rich({"type": "text", "text": hostile}, kind="rich_text_preformatted")]},
            {"type": "table", "rows": [[{"type": "raw_text", "text": hostile}]]},
            {"type": "actions", "elements": [{"type": "button", "text": plain(hostile), "action_id": "a"}]},
        ],
    )
    await page.goto(backend.url)
    body = page.locator("#messages > .message").last
    await page.locator(".connection-name").wait_for()

    for selector in ("h3.block-header", ".section-text", "pre", "th", ".block-button"):
        assert await body.locator(selector).first.text_content() == hostile
    assert await page.locator(".connection-name").text_content() == hostile
    assert await page.evaluate("window.hit ?? null") is None
    assert await page.locator("main img, main script, aside img, .mention").count() == 0
    assert await page.locator("li.pings").count() == 0
