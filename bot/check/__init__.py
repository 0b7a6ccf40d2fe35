"""The pre-flight check: asks everything that the bot depends on, changes nothing, and says what to do."""
