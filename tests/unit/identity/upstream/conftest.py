"""A node with one way of signing in, at a provider that says what a test likes."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.clocks import Clock
from tests.unit.identity.upstream.providers import ISSUER, Broker, Visit, method, opened, rsa_key

from sluis.crypto import Jwk
from sluis.identity.upstream import Method
from sluis.store import Store, open_store


@pytest.fixture(scope="session")
def key() -> Jwk:
    """The key of the provider."""
    return rsa_key()


@pytest.fixture(scope="session")
def other_key() -> Jwk:
    """A key of the provider that it takes in use later; or of somebody else."""
    return rsa_key()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def broker(clock: Clock, key: Jwk) -> Broker:
    return Broker(clock, key)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(tmp_path / "node.db")
    yield store
    store.close()


Opener = Callable[..., Visit]


@pytest.fixture
def visiting(store: Store, tmp_path: Path, clock: Clock, broker: Broker) -> Opener:
    """A browser at a node with these ways of signing in."""

    def visit(*methods: Method, brokers: Mapping[str, Broker] | None = None, **given: Any) -> Visit:
        calls = brokers or {ISSUER: broker}
        return Visit(opened(store, tmp_path, clock, calls, *(methods or (method(),)), **given), broker)

    return visit


@pytest.fixture
def visit(visiting: Opener) -> Visit:
    """A browser at a node with one way of signing in, for citizens."""
    return visiting()
