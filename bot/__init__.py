"""An alerting bot that watches ItemPath's connections and keeps a Slack channel true.

Every message the channel should see follows from what was read, is committed together with it, and is then made
true in Slack: fetch, diff, decide, commit, deliver.
"""

__version__ = "0.1.0"
