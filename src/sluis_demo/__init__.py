"""A fictitious federation on this machine: seven organisations, thousands of invented people, one story.

Nothing in `sluis` imports this package.
"""
