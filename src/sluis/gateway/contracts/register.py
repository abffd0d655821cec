"""Which grants are in force, in memory: what inway, outway and the giving of tokens ask at every request.

Only grants of contracts that all have accepted and none has rejected or revoked, and that are not over: what others
merely propose takes no room here. The time in which a contract holds is looked at on each call. One thread puts in
and takes out; any may ask meanwhile, and finds a grant as it was before or after, never in between.
"""

from heapq import heappop, heappush

from sluis.gateway.contracts.model import PUBLICATIONS, Content, Grant, InForce
from sluis.kernel import PeerId

_Service = tuple[PeerId, str]


class Register:
    """The grants in force of one peer.

    Args:
        own: this peer; connections are found by service when it is theirs to use, and by peer when they are to theirs.
    """

    def __init__(self, own: PeerId) -> None:
        self._own = own
        self._grants: dict[str, InForce] = {}
        self._connections: dict[_Service, tuple[InForce, ...]] = {}
        self._allowed: dict[_Service, tuple[InForce, ...]] = {}
        self._publications: dict[str, InForce] = {}
        self._of_contract: dict[str, tuple[InForce, ...]] = {}
        self._ending: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._grants)

    def add(
        self, content_hash: str, created_at: int, not_before: int, until: int, grants: tuple[Grant, ...]
    ) -> None:
        """Everyone has accepted a contract, which holds from now on; also when it was added before.

        Args:
            content_hash: of the contract.
            created_at, not_before: in seconds since the epoch.
            until: it holds (`rules.holds_until`), in seconds since the epoch.
            grants: in it.
        """
        if self._until(content_hash) == until:
            return
        made = tuple(InForce(grant, content_hash, created_at, not_before, until) for grant in grants)
        self._of_contract[content_hash] = made
        heappush(self._ending, (until, content_hash))
        for one in made:
            self._grants[one.grant.hash] = one
            if one.grant.type in PUBLICATIONS:
                self._publications[one.grant.hash] = one
            for found, key in self._found_by(one.grant):
                others = (other for other in found.get(key, ()) if other.grant.hash != one.grant.hash)
                found[key] = tuple(sorted((*others, one), key=_newest_first))

    def add_content(self, content: Content, until: int) -> None:
        """The same, from a content."""
        self.add(content.hash, content.created_at, content.not_before, until, content.grants)

    def remove(self, content_hash: str) -> None:
        """Someone took this contract back, or it is over."""
        for one in self._of_contract.pop(content_hash, ()):
            self._grants.pop(one.grant.hash, None)
            self._publications.pop(one.grant.hash, None)
            for found, key in self._found_by(one.grant):
                left = tuple(other for other in found.get(key, ()) if other is not one)
                if left:
                    found[key] = left
                else:
                    found.pop(key, None)

    def forget_ended(self, now: int) -> None:
        """Take out what is over; `now` in seconds since the epoch."""
        while self._ending and self._ending[0][0] < now:
            until, content_hash = heappop(self._ending)
            if self._until(content_hash) == until:  # else it was signed again, and ends later
                self.remove(content_hash)

    def grant(self, grant_hash: str, now: int) -> Grant | None:
        """The grant of this hash when it is in force."""
        found = self._grants.get(grant_hash)
        return found.grant if found is not None and found.holds(now) else None

    def connections(self, peer: PeerId, service: str, now: int) -> list[Grant]:
        """Grants by which this peer may use a service of `peer`, newest first."""
        return [one.grant for one in self._connections.get((peer, service), ()) if one.holds(now)]

    def allowed(self, peer: PeerId, service: str, now: int) -> list[Grant]:
        """Grants by which the outway of `peer` may use a service of this peer, newest first."""
        return [one.grant for one in self._allowed.get((peer, service), ()) if one.holds(now)]

    def publications(self, now: int) -> list[InForce]:
        """Publications in force, in the order in which they came."""
        return [one for one in list(self._publications.values()) if one.holds(now)]

    def _until(self, content_hash: str) -> int | None:
        known = self._of_contract.get(content_hash)
        return known[0].until if known else None

    def _found_by(self, grant: Grant) -> list[tuple[dict[_Service, tuple[InForce, ...]], _Service]]:
        """Where a connection is kept beside its hash, and under which key."""
        if grant.outway is None:
            return []
        user, provider, name = grant.outway.peer_id, grant.service_peer, grant.service_name
        ours = [(self._connections, (provider, name))] if user == self._own else []
        return [*ours, (self._allowed, (user, name))] if provider == self._own else ours


def _newest_first(one: InForce) -> tuple[int, str]:
    return -one.created_at, one.grant.hash
