"""The App Home tab: the board of all sites, for whoever looks at it."""

from bot.slack.home.showing import Home

__all__ = ["Home"]
