"""Sluis: share government information under control.

Each room (subpackage) shows its face in its `__init__`; `docs/reference/house.md` draws their order.
"""

__version__ = "0.1.0"
