"""A database of its own for every test that needs PostgreSQL."""

from tests.contract.store.conftest import empty_postgres

__all__ = ["empty_postgres"]
