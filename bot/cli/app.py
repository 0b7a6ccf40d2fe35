"""What can be typed: verbs, options and their help.

Whatever does work is imported by the verb that needs it, so that `--help` answers at once.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from bot import __version__

app = typer.Typer(
    name="itempath-bot",
    help="Watches ItemPath's connections and keeps a Slack channel true.",
    no_args_is_help=True,
    add_completion=False,
    # Plain help wraps to any terminal, and is there in a third of the time.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={
        "help_option_names": ["--help", "-h"],
        # Typer loads pydantic to convert an option without a value, and a verb's `--help` is none of the group's.
        "default_map": {"help": False},
    },
)

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration file. Without it: $BOT_CONFIG, else config/bot.toml if there is one, else the environment alone.",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

_FILTER = "Operators of ItemPath: [like]x, [notlike]x, [not]x, [or]a;b, [nor]a;b, [gt]x, [lt]x. May be repeated."


def main() -> None:
    """The console script. Ctrl-C ends with 130, a closed pipe with 1, both without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character must not keep the rest of the answer from being read.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    app()


def _hear_signals() -> None:
    """Until the service hears them itself. Loading takes a second, in which the first process of a container, for which
    signals do nothing unless it says so, would be deaf.
    """
    if threading.current_thread() is threading.main_thread():
        for name in (signal.SIGTERM, signal.SIGINT):
            # Nothing has begun that would have to be put in order, and an exception can get lost where modules are loaded.
            signal.signal(name, lambda *_: os._exit(0))


def _version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"itempath-bot {__version__}")
        raise typer.Exit


@app.callback()
def _about(
    *,
    _wanted: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", is_eager=True, callback=lambda value: _version(wanted=value)
        ),
    ] = False,
) -> None:
    pass


@app.command()
def run(config: Config = None) -> None:
    """Run the service, until SIGTERM or Ctrl-C."""
    _hear_signals()
    from bot.cli.service import serve  # noqa: PLC0415

    raise typer.Exit(serve(config))


@app.command()
def check(
    *,
    config: Config = None,
    send: Annotated[bool, typer.Option("--send", help="Post a test alert to every channel.")] = False,
) -> None:
    """Ask the database, ItemPath and Slack, and say what to do.

    One line each: ok, warning (the bot works, with something less), wrong, or unknown (not asked, because of something
    that is wrong). Exit status 1 if any is wrong.
    """
    from bot.cli.preflight import report  # noqa: PLC0415

    raise typer.Exit(report(config, send=send))


@app.command()
def demo(
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=0, max=65535, help="Port of the web page; 0 takes a free one.")
    ] = 8000,
) -> None:
    """Show the bot on this machine, without an account.

    Simulated ItemPath sites and a local Slack, driven by the very bot of `run`. Reads neither environment nor
    configuration.
    """
    _hear_signals()
    from bot.cli.service import show  # noqa: PLC0415

    raise typer.Exit(show(port))


@app.command()
def connections(
    *,
    id_: Annotated[
        str | None, typer.Argument(metavar="ID", help="One connection, as <id> or <site>/<id>, with all its fields.")
    ] = None,
    config: Config = None,
    name: Annotated[list[str] | None, typer.Option("--name", metavar="TEXT", help=f"Only this name. {_FILTER}")] = None,
    app_id: Annotated[
        list[str] | None, typer.Option("--app-id", metavar="TEXT", help="Only this app's; as --name.")
    ] = None,
    type_: Annotated[
        list[str] | None, typer.Option("--type", metavar="TEXT", help="Only this type; as --name.")
    ] = None,
    authentication: Annotated[
        list[str] | None, typer.Option("--authentication", metavar="TEXT", help="Only this mode; as --name.")
    ] = None,
    order_by: Annotated[
        list[str] | None,
        typer.Option("--order-by", metavar="FIELD[:asc|:desc]", help="Order, e.g. name:desc. May be repeated."),
    ] = None,
    page: Annotated[int | None, typer.Option("--page", metavar="N", min=0, help="From 0; needs --limit.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", metavar="N", min=1, help="Rows of a page.")] = None,
    count: Annotated[bool, typer.Option("--count", help="Print only how many there are.")] = False,
    site: Annotated[
        str | None, typer.Option("--site", metavar="NAME", help="Ask this site only. Without it, all of them.")
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print JSON with the field names of ItemPath's API, and `site` and `state`: a list; an object for one "
            "ID at one site, and for --count at one site the number.",
        ),
    ] = False,
) -> None:
    """Look connections up in ItemPath.

    Prints a table (aligned text when piped). Exit status 1 if there is no such connection or a site cannot be read.
    """
    filters = {"name": name, "app_id": app_id, "type": type_, "authentication": authentication}
    narrowed = bool(any(filters.values()) or count)
    paged = bool(order_by) or page is not None or limit is not None
    if id_ is not None and (narrowed or paged):
        raise typer.BadParameter("one ID is looked up alone, without filters, order, pages and --count")
    if count and paged:
        raise typer.BadParameter("--count counts them all, without order and pages")
    if page is not None and limit is None:
        raise typer.BadParameter("a page needs a size: add --limit", param_hint="--page")
    order = tuple(part.strip() for each in order_by or () for part in each.split(","))
    from bot.cli.connections import Question, look_up  # noqa: PLC0415
    from bot.itempath.queries import page_parameters  # noqa: PLC0415

    try:
        page_parameters(order_by=order, page=page, limit=limit)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    question = Question(
        id=id_,
        filters={key: tuple(values) for key, values in filters.items() if values},
        order_by=order,
        page=page,
        limit=limit,
        count=count,
        site=site,
        as_json=as_json,
    )
    raise typer.Exit(look_up(config, question))


@app.command()
def incidents(*, config: Config = None, as_json: Json = False) -> None:
    """Show open and recent incidents, as the bot knows them.

    Reads the database only, beside a running bot too. JSON has all of them, with their events and the reason of each.
    """
    from bot.cli.incidents import tell  # noqa: PLC0415

    raise typer.Exit(tell(config, as_json=as_json))
