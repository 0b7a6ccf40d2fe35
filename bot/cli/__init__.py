"""The verbs of `python -m bot` (also `itempath-bot`)."""

from bot.cli.app import main

__all__ = ["main"]
