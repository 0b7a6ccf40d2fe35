"""The two ways by which Slack hands over what people do, and the way back for answers that took longer."""
