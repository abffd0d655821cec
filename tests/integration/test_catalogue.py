"""One node of a group reads the catalogue of another, over the gateway, under the contract that any two nodes have, and finds in it."""

from tests.integration.nodes import OWNER, Federation, build
from tests.unit.catalogue.examples import write
from tests.unit.catalogue.test_files import WHOLE


async def test_a_node_harvests_the_catalogue_of_its_peer(group: Federation) -> None:
    write(group.owner, "catalogue.toml", WHOLE + 'publish = "all"\n')
    asker, owner = build(group.asker), build(group.owner)
    await owner.start()
    await asker.start()
    harvester = asker.parts.harvester
    assert harvester is not None
    await harvester.round()
    (found,) = [one for one in harvester.found() if one.peer == OWNER]
    finds = await asker.parts.finder.search("knooppunten", {}, 1)
    await harvester.round()
    (again,) = [one for one in harvester.found() if one.peer == OWNER]
    await asker.stop()
    await owner.stop()
    assert (found.trouble, {one.kind for one in found.entries}) == ("", {"service"})
    assert again.entries == found.entries
    assert again.at > found.at  # type: ignore[operator]
    assert [one.owner for one in finds.found] == [OWNER]
    assert harvester.changes == 1
