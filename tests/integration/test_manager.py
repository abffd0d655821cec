"""Managers of a group over real sockets: contracts are made, travel and are signed; what is lost heals."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.integration.managers import (
    DAY,
    DIRECTORY,
    GEMEENTE,
    UWV,
    Member,
    World,
    connection,
    member,
    now,
    publication,
)

from sluis.gateway.manager import AutoSign


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
async def directory(world: World) -> AsyncIterator[Member]:
    rule = AutoSign("publications", grants=("GRANT_TYPE_SERVICE_PUBLICATION",), any_properties=True)
    async with member(world.place(DIRECTORY), auto_sign=(rule,)) as running:
        yield running


@pytest.fixture
async def uwv(world: World, directory: Member) -> AsyncIterator[Member]:
    async with member(world.place(UWV), services=("loon",)) as running:
        yield running


@pytest.fixture
async def gemeente(world: World, directory: Member) -> AsyncIterator[Member]:
    async with member(world.place(GEMEENTE)) as running:
        yield running


async def test_a_contract_goes_the_whole_way_from_proposal_to_token(
    directory: Member, uwv: Member, gemeente: Member
) -> None:
    published = await uwv.manager.propose([publication(UWV, "loon")], now(), now() + DAY)
    await uwv.reaches(published, "valid")
    found = [one async for one in gemeente.running.directory.services(name="LOO")]
    assert [(one.name, one.peer.manager_address) for one in found] == [("loon", uwv.place.address)]

    proposed = await gemeente.manager.propose(
        [connection(gemeente.place, UWV, "loon", properties={"activity": "urn:test:bijstand"})],
        now(),
        now() + DAY,
    )
    await uwv.reaches(proposed, "proposed")
    await uwv.manager.act(proposed.content.hash, "accept")
    await gemeente.reaches(proposed, "valid")
    assert uwv.state(proposed) == "valid"

    token = await gemeente.running.managers.token(UWV, GEMEENTE, proposed.content.grants[0].hash)
    assert token.count(".") == 2

    await uwv.manager.act(proposed.content.hash, "revoke")
    await gemeente.reaches(proposed, "revoked")
