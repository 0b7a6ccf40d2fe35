"""What people ask of the bot, and what it answers: transport-free, the same for Socket Mode and HTTP."""
