"""A Slack workspace on this machine, as strict as the real one: for the demonstration and the end-to-end tests."""
