"""Where and how somebody wants its events."""
