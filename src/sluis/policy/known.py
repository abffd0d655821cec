"""What a node knows of itself, for policies to look at and for searches to find: its peers, datasets, activities, types of
event, people."""

from collections.abc import Iterable, Mapping
from typing import Any

from sluis.grounds import Grounds
from sluis.kernel import PeerId
from sluis.policy.model import DATASET, EVENT_TYPE, PEER

ACTIVITY, PERSON, ROLE = "activity", "person", "role"


def known_of(
    grounds: Grounds,
    alias: str,
    peers: Mapping[PeerId, str],
    people: Mapping[str, Iterable[str]],
) -> list[dict[str, Any]]:
    """Entities in Cedar's JSON form.

    Args:
        grounds: the node's datasets, activities and event types.
        alias: the name that askers put before the dot.
        peers: the name of each peer.
        people: the roles of each person of this organisation; each role is a `role` that the person is in.
    """
    return [
        *(_entity(PEER, str.__str__(id), {"name": name}) for id, name in peers.items()),
        *(
            _entity(
                DATASET,
                f"{alias}.{one.name}",
                {"title": one.title.nl, "about_people": one.subject is not None},
            )
            for one in grounds.datasets
        ),
        *(
            _entity(
                ACTIVITY,
                one.id,
                {"name": one.name.nl, "ground": one.ground, "inspection": one.inspection or ""},
            )
            for one in grounds.activities
        ),
        *(
            _entity(EVENT_TYPE, one.type, {"title": one.title.nl, "about_people": one.subject is not None})
            for one in grounds.events
        ),
        *(_entity(PERSON, id, {"roles": sorted(roles)}, sorted(roles)) for id, roles in people.items()),
    ]


def _entity(type: str, id: str, attributes: dict[str, Any], roles: Iterable[str] = ()) -> dict[str, Any]:
    parents = [{"type": ROLE, "id": role} for role in roles]
    return {"uid": {"type": type, "id": id}, "attrs": attributes, "parents": parents}
