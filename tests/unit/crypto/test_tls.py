"""A listener whose certificate is renewed: who connects from then on meets the new one, held against its anchors."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sluis.crypto import (
    Authority,
    Identity,
    client_context,
    hand_over,
    key_text,
    make_authority,
    make_request,
    new_key,
    peer_of,
    server_context,
)
from sluis.kernel import PeerId

OIN = PeerId("00000001001000001000")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("authority"), "Groep")


def files(authority: Authority, folder: Path, name: str, in_rsa: bool = False) -> tuple[Path, Path]:
    key = new_key(in_rsa)
    made = authority.certify(make_request(key, OIN, name, ["localhost"]))
    folder.mkdir()
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(Encoding.PEM))
    private.touch(0o600)
    private.write_bytes(key_text(key))
    return certificate, private


def met(door: ssl.SSLContext, client: ssl.SSLContext, host: str | None) -> str:
    """Whom a client meets there, once both have proved who they are."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    inside = door.wrap_bio(to_server, to_client, server_side=True)
    outside = client.wrap_bio(to_client, to_server, server_hostname=host)
    waiting = [outside, inside]
    for turn in _turns():
        if not waiting:
            break
        side = waiting[turn % len(waiting)]
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        waiting.remove(side)
    shown, seen = (side.getpeercert(binary_form=True) for side in (outside, inside))
    assert shown
    assert seen
    return peer_of(shown).name


def _turns() -> Iterator[int]:
    yield from range(20)
    raise AssertionError("no handshake")


@pytest.mark.parametrize("oldest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("host", ["localhost", None])
@pytest.mark.parametrize("in_rsa", [False, True])
def test_who_connects_after_a_renewal_meets_the_new_certificate(
    authority: Authority, tmp_path: Path, oldest: ssl.TLSVersion, host: str | None, in_rsa: bool
) -> None:
    """Also when its key is of another kind, or the client names no host."""
    anchors = [authority.path]
    first = files(authority, tmp_path / "first", "Eerst", in_rsa)
    door, client = server_context(*first, anchors), client_context(*first, anchors)
    client.minimum_version = client.maximum_version = oldest
    client.check_hostname = host is not None
    assert met(door, client, host) == "Eerst"
    for name in ("Dan", "Daarna"):
        with Identity.load(*files(authority, tmp_path / name, name)).as_file() as file:
            hand_over(door, server_context(file, file, anchors))
        assert met(door, client, host) == name


def test_who_is_of_no_anchor_gets_in_no_more_after_a_renewal_than_before(
    authority: Authority, tmp_path: Path
) -> None:
    first = files(authority, tmp_path / "first", "Eerst")
    door = server_context(*first, [authority.path])
    other = make_authority(tmp_path / "other", "Ander")
    stranger = client_context(*files(other, tmp_path / "stranger", "Vreemd"), [authority.path])
    bare = ssl.create_default_context(cafile=authority.path)
    for _ in range(2):
        for client in (stranger, bare):
            with pytest.raises(ssl.SSLError):
                met(door, client, "localhost")
        hand_over(door, server_context(*first, [authority.path]))


def test_a_certificate_is_a_file_only_while_it_is_read(authority: Authority, tmp_path: Path) -> None:
    identity = Identity.load(*files(authority, tmp_path / "first", "Eerst"))
    with identity.as_file() as file:
        assert Identity.load(file, file).certificate == identity.certificate
    assert not file.exists()
