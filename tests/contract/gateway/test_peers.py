"""Who is known, and which certificates are believed: kept durably, asked for once, held against the group at each use."""

import asyncio
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from cryptography import x509

from sluis.crypto import Authority, Peer, make_authority, read_certificates
from sluis.crypto.jose import Chain, certificate_thumbprint, jwks
from sluis.gateway.peers import Certificates, Known, Peers, open_peers
from sluis.kernel import Invalid, PeerId, Text, Upstream, utc_now
from sluis.store import Store

A, B = PeerId("0" * 19 + "1"), PeerId("0" * 19 + "2")
HERE, THERE = "https://here.example:8443", "https://there.example:8443"


@pytest.fixture
def peers(store: Store) -> Peers:
    return open_peers(store)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "authority", "Groep")


def issued(authority: Authority, where: Path, peer: PeerId = A, days: int = 30) -> Chain:
    return read_certificates(authority.issue(where, peer, "Gemeente", ["localhost"], days)[0])


class Shown:
    """What a peer's Manager shows, and how often it was looked at."""

    def __init__(self, *chains: Chain) -> None:
        self.body, self.looks = msgspec.json.encode(jwks(chains)), 0

    async def fetch(self, peer: PeerId) -> bytes:
        self.looks += 1
        await asyncio.sleep(0.01)
        return self.body


def certificates(store: Store, shown: Shown, *anchors: x509.Certificate) -> Certificates:
    open_peers(store)
    return Certificates(store, shown.fetch, anchors, tuple, utc_now)


# Peers


async def test_what_a_peer_said_itself_is_there_after_a_restart(store: Store, peers: Peers) -> None:
    assert await peers.heard(Peer(A, "Gemeente"), HERE)
    assert not await peers.heard(Peer(A, "Gemeente"), HERE)
    assert open_peers(store).known(A) == Known(A, "Gemeente", HERE, itself=True)


async def test_what_a_peer_says_goes_before_what_the_directory_says(peers: Peers) -> None:
    assert await peers.told(Known(A, "Gemeente", THERE))
    assert await peers.heard(Peer(A, "Gemeente"), HERE)
    assert not await peers.told(Known(A, "Gemeente", THERE))
    assert peers.every() == [Known(A, "Gemeente", HERE)]


async def test_the_directory_is_believed_when_the_known_address_does_not_work(peers: Peers) -> None:
    await peers.heard(Peer(A, "Gemeente"), HERE)
    assert not await peers.told(Known(A, "Gemeente", HERE), anew=True)
    assert await peers.told(Known(A, "Gemeente", THERE), anew=True)
    assert peers.known(A) == Known(A, "Gemeente", THERE, itself=False)


async def test_a_peer_without_a_name_goes_by_its_number(peers: Peers) -> None:
    await peers.heard(Peer(A, "Gemeente"), HERE)
    assert (peers.name(A), peers.name(B)) == ("Gemeente", "0" * 19 + "2")


async def test_a_peer_that_was_not_heard_of_is_called_as_in_the_settings(peers: Peers) -> None:
    peers.name_unheard({A: "In de instellingen", B: "Dienst"})
    await peers.heard(Peer(A, "Gemeente"), HERE)
    assert (peers.name(A), peers.name(B)) == ("Gemeente", "Dienst")


# Certificates


async def test_a_certificate_is_asked_for_once_and_kept_over_restarts(
    store: Store, authority: Authority, tmp_path: Path
) -> None:
    chain = issued(authority, tmp_path / "a")
    shown, name = Shown(chain), certificate_thumbprint(chain[0])
    first = certificates(store, shown, authority.certificate)
    assert await asyncio.gather(*[first.chain(A, name) for _ in range(20)]) == [chain] * 20
    again = certificates(store, shown, authority.certificate)
    assert (await again.chain(A, name), again.of(A), again.of(B), shown.looks) == (chain, [chain], [], 1)


async def test_a_thumbprint_that_is_not_shown_makes_no_flood_of_looks(
    store: Store, authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.gateway.peers.service._REST", 60.0)  # however slow the database is
    shown = Shown(issued(authority, tmp_path / "a"))
    known = certificates(store, shown, authority.certificate)
    assert [await known.chain(A, f"{number:043}") for number in range(50)] == [()] * 50
    assert shown.looks == 1


async def test_certificates_that_are_not_valid_in_the_group_are_not_kept(
    store: Store, authority: Authority, tmp_path: Path
) -> None:
    foreign = issued(make_authority(tmp_path / "other", "Andere groep"), tmp_path / "foreign")
    ended = issued(authority, tmp_path / "ended", days=-1)
    fine = issued(authority, tmp_path / "fine")
    known = certificates(store, Shown(foreign, ended, fine), authority.certificate)
    names = [certificate_thumbprint(chain[0]) for chain in (foreign, ended, fine)]
    assert [await known.chain(A, name) for name in names] == [(), (), fine]


async def test_a_certificate_that_ended_since_is_no_longer_shown_as_ones_own(
    store: Store, authority: Authority, tmp_path: Path
) -> None:
    chain, moment = issued(authority, tmp_path / "a", days=1), [utc_now()]
    open_peers(store)
    known = Certificates(store, Shown(chain).fetch, [authority.certificate], tuple, lambda: moment[0])
    await known.keep_chain(chain)
    assert known.of(A) == [chain]
    moment[0] += timedelta(days=2)
    assert known.of(A) == []


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b'{"keys":1}', b"[" * 100_000, b" " * 300_000, b"\xff"]
)
async def test_what_is_no_key_set_is_refused(store: Store, authority: Authority, body: bytes) -> None:
    shown = Shown()
    shown.body = body
    with pytest.raises(Invalid):
        await certificates(store, shown, authority.certificate).chain(A, "x" * 43)


async def test_a_manager_that_is_away_is_told_to_everyone_who_waits(
    store: Store, authority: Authority
) -> None:
    async def away(peer: PeerId) -> bytes:
        await asyncio.sleep(0.01)
        raise Upstream("peer-unreachable", Text("", ""), Text("", ""), Text("", ""))

    open_peers(store)
    known = Certificates(store, away, [authority.certificate], tuple, utc_now)
    outcomes = await asyncio.gather(*[known.chain(A, "x" * 43) for _ in range(3)], return_exceptions=True)
    assert [type(one) for one in outcomes] == [Upstream] * 3
