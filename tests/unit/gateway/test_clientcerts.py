"""The client certificate that a service is shown: found in files, checked before it is used, renewed with them."""

import ssl
from datetime import timedelta
from pathlib import Path

import pytest

from sluis.crypto import Authority, make_authority
from sluis.gateway.clientcerts import ClientContexts, Unshown, ends_soon, read_shown, shown_pem
from sluis.kernel import Invalid, PeerId, utc_now

PEER = PeerId("00000000000000000001")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return make_authority(tmp_path / "authority", "Dienst")


def put(authority: Authority, folder: Path, name: str = "gemeente", days: int = 365) -> str:
    """A certificate, and its key beside it under the same name. The organisation is fictitious."""
    certificate, key = authority.issue(folder / "made", PEER, "Gemeente Voorbeeld", ["localhost"], days)
    certificate.replace(folder / f"{name}.crt")
    key.replace(folder / f"{name}.key")
    return str(folder / f"{name}.crt")


def together(file: str) -> str:
    """Certificate and key in one file."""
    path = Path(file)
    both = path.with_name("both.pem")
    both.write_bytes(path.read_bytes() + path.with_suffix(".key").read_bytes())
    both.chmod(0o600)
    return str(both)


def test_the_key_stands_beside_the_certificate_in_its_file_or_in_another_of_the_list(
    authority: Authority, tmp_path: Path
) -> None:
    file = put(authority, tmp_path)
    key, now = tmp_path / "gemeente.key", utc_now()
    assert read_shown([file], now).key == key
    both = together(file)
    assert read_shown([both], now).key == Path(both)
    elsewhere = key.rename(tmp_path / "elsewhere.pem")
    assert read_shown([file, str(elsewhere)], now).key == elsewhere


def test_a_certificate_that_cannot_be_shown_is_refused(authority: Authority, tmp_path: Path) -> None:
    file, now = put(authority, tmp_path), utc_now()
    other = put(authority, tmp_path / "made", "other")
    key = Path(file).with_suffix(".key")

    def code(*files: str) -> str:
        with pytest.raises(Invalid) as raised:
            read_shown(files, now)
        return raised.value.code

    assert code(str(tmp_path / "absent.crt")) == "client-certificate-unusable"
    assert code(file, other) == "client-certificate-unusable"
    assert code(str(key)) == "client-certificate-unusable"
    assert code(put(authority, tmp_path, "ended", days=0)) == "client-certificate-unusable"
    key.chmod(0o644)
    assert code(file) == "key-for-everyone"
    key.unlink()
    assert code(file) == "key-unreadable"
    Path(other).with_suffix(".key").rename(key)
    assert code(file) == "client-certificate-unusable"


def test_what_is_wrong_tells_nothing_of_the_key(authority: Authority, tmp_path: Path) -> None:
    file = put(authority, tmp_path)
    key = Path(file).with_suffix(".key")
    text = key.read_text()
    key.write_text(text.replace(text.splitlines()[1], "secret-secret"))
    with pytest.raises(Invalid) as raised:
        read_shown([file], utc_now())
    assert "secret" not in str(raised.value)


def test_it_is_warned_about_a_month_before_it_ends(authority: Authority, tmp_path: Path) -> None:
    shown = read_shown([put(authority, tmp_path)], utc_now())
    assert ends_soon(shown, shown.ends - timedelta(days=31)) is None
    assert ends_soon(shown, shown.ends - timedelta(days=29, hours=1)) == 29


def test_one_piece_has_the_key_once(authority: Authority, tmp_path: Path) -> None:
    file = put(authority, tmp_path)
    for files in ([file], [together(file)]):
        assert shown_pem(files, utc_now()).count(b"PRIVATE KEY-----") == 2  # its first line and its last


class Clock:
    """Time for the contexts, which tests move on."""

    def __init__(self) -> None:
        self.moment, self.days = 0.0, 0

    def contexts(self) -> ClientContexts:
        return ClientContexts(
            ssl.create_default_context, lambda: utc_now() + timedelta(days=self.days), lambda: self.moment
        )


def test_renewed_files_are_taken_up_and_until_they_are_right_the_old_certificate_is_shown(
    authority: Authority, tmp_path: Path
) -> None:
    clock = Clock()
    contexts, files = clock.contexts(), (put(authority, tmp_path),)
    first = contexts.get(files)
    clock.moment += 6
    assert contexts.get(files) is first
    Path(files[0]).write_text("half")
    clock.moment += 6
    assert contexts.get(files) is first
    put(authority, tmp_path)
    clock.moment += 6
    assert contexts.get(files) is not first


def test_nothing_is_shown_once_the_certificate_has_ended_or_when_there_is_none(
    authority: Authority, tmp_path: Path
) -> None:
    clock = Clock()
    contexts, files = clock.contexts(), (put(authority, tmp_path, days=30),)
    contexts.get(files)
    clock.days = 31
    with pytest.raises(Unshown):
        contexts.get(files)
    with pytest.raises(Unshown):
        contexts.get((str(tmp_path / "absent.crt"),))
