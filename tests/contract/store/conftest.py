"""A database of its own for every test that needs PostgreSQL."""

from collections.abc import Iterator

import psycopg
import pytest
from tests.servers import Server


@pytest.fixture
def empty_postgres(postgres: Server) -> Iterator[str]:
    """The URL of an empty database."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS store_test WITH (FORCE)")
        connection.execute("CREATE DATABASE store_test")
    yield postgres.url.rpartition("/")[0] + "/store_test"
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("DROP DATABASE store_test WITH (FORCE)")
