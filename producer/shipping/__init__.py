"""Real logs: lines that an application writes, read, understood, spooled, and sent as events."""
