"""`sluis join`: from a group's rules to a node that is in order, without ever overwriting or half-writing anything."""

import os
import socket
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import load_pem_x509_csr
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sluis.cli import main, terminal
from sluis.config import examine_node, load_node
from sluis.crypto import Authority, Identity, make_authority, make_request, read_key
from sluis.kernel import PeerId

RULES = """# Regels van de proefgroep (fictief)
id = "proefgroep"
anchors = ["../autoriteit/authority.pem"]

[directory]
peer = "00000000000000000099"
address = "https://directory.example:8443"
"""
ADDRESSES = (
    "--manager",
    "https://fsc.gemeente.example:8443",
    "--inway",
    "https://inway.gemeente.example:443",
)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("SLUIS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LC_ALL", "nl_NL.UTF-8")
    monkeypatch.chdir(tmp_path)
    terminal.choose_language(None)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Of a group whose rules are in `groep/`."""
    (tmp_path / "groep").mkdir()
    (tmp_path / "groep/group.toml").write_text(RULES)
    return make_authority(tmp_path / "autoriteit", "Proefgroep")


@pytest.fixture
def node(tmp_path: Path) -> Path:
    made = CliRunner().invoke(
        main, ["init", str(tmp_path / "gemeente"), "--url", "https://gemeente.example:9443"]
    )
    assert made.exit_code == 0, made.output
    return tmp_path / "gemeente"


def join(node: Path, *words: str, group: str = "groep") -> Result:
    return CliRunner().invoke(main, ["join", group, "--node", str(node), *words])


def snapshot(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_with_the_test_authority_the_node_is_in_the_group_at_once(authority: Authority, node: Path) -> None:
    before = (node / "node.toml").read_text()
    result = join(node, *ADDRESSES, "--authority", "autoriteit")
    assert result.exit_code == 0, result.output
    assert "lid van groep proefgroep" in result.output
    assert f"sluis serve --node {node}" in result.output
    assert examine_node(node, {}) == ()
    config = load_node(node, {}).config
    assert config.fsc.group == node / "fsc/group.toml"
    assert (config.manager_address, config.inway_address) == (ADDRESSES[1], ADDRESSES[3])
    assert (config.manager.port, config.inway.port) == (8443, 443)
    assert Identity.load(config.tls.certificate, config.tls.key).peer.id == config.node.oin
    assert node / "fsc/authority.pem" in config.tls.authorities
    after = (node / "node.toml").read_text()
    assert [line for line in before.splitlines() if line not in after and "tls/" not in line] == [
        'authorities = ["authority/authority.pem"]'
    ]


def test_a_node_as_it_was_made_joins_without_a_word_more(authority: Authority, tmp_path: Path) -> None:
    node = tmp_path / "gemeente"
    CliRunner().invoke(main, ["init", str(node)])
    result = join(node, "--authority", "autoriteit")
    assert result.exit_code == 0, result.output
    assert examine_node(node, {}) == ()
    config = load_node(node, {}).config
    assert config.manager_address == config.node.url == "https://localhost:8443"
    assert config.inway_address == "https://localhost:443"


def test_a_second_time_nothing_changes(authority: Authority, node: Path) -> None:
    words = (*ADDRESSES, "--authority", "autoriteit")
    join(node, *words)
    before = snapshot(node)
    result = join(node, *words)
    assert (result.exit_code, snapshot(node)) == (0, before)
    assert "niets veranderd" in result.output


def test_without_an_authority_there_is_a_request_and_the_node_stays_as_it_is(
    authority: Authority, node: Path
) -> None:
    before = snapshot(node)
    result = join(node, *ADDRESSES)
    assert result.exit_code == 0, result.output
    assert "PKIoverheid" in result.output
    assert {name: text for name, text in snapshot(node).items() if name[:4] != "fsc/"} == before
    assert stat.S_IMODE((node / "fsc/key.pem").stat().st_mode) == 0o600
    request = load_pem_x509_csr((node / "fsc/request.pem").read_bytes())
    names = request.extensions[0].value
    assert [one.value for one in names] == [
        "gemeente.example",
        "fsc.gemeente.example",
        "inway.gemeente.example",
    ]  # type: ignore[attr-defined]
    made = snapshot(node)
    assert "nog niet" in join(node, *ADDRESSES).output
    assert snapshot(node) == made


def test_when_the_certificate_has_come_the_same_command_finishes(authority: Authority, node: Path) -> None:
    join(node, *ADDRESSES)
    request = load_pem_x509_csr((node / "fsc/request.pem").read_bytes())
    (node / "fsc/certificate.pem").write_bytes(authority.certify(request).public_bytes(Encoding.PEM))
    result = join(node, *ADDRESSES)
    assert result.exit_code == 0, result.output
    assert load_node(node, {}).config.tls.certificate == node / "fsc/certificate.pem"


def test_a_certificate_that_does_not_fit_changes_no_settings(
    authority: Authority, node: Path, tmp_path: Path
) -> None:
    join(node, *ADDRESSES)
    before = (node / "node.toml").read_bytes()
    (node / "fsc/certificate.pem").write_bytes((node / "tls/certificate.pem").read_bytes())
    assert join(node, *ADDRESSES).exit_code == 2
    assert (node / "node.toml").read_bytes() == before


def test_a_certificate_on_another_oin_changes_no_settings(authority: Authority, node: Path) -> None:
    join(node, *ADDRESSES)
    before = (node / "node.toml").read_bytes()
    request = make_request(
        read_key(node / "fsc/key.pem"), PeerId("00000001826002785000"), "Ander (fictief)", ["x.example"]
    )
    (node / "fsc/certificate.pem").write_bytes(authority.certify(request).public_bytes(Encoding.PEM))
    result = join(node, *ADDRESSES)
    assert (result.exit_code, (node / "node.toml").read_bytes()) == (2, before)
    assert "OIN" in result.output


def test_whom_the_node_trusted_it_trusts_still(authority: Authority, node: Path) -> None:
    join(node, *ADDRESSES, "--authority", "autoriteit")
    trusted = load_node(node, {}).config.tls.authorities
    assert trusted == (node / "authority/authority.pem", node / "fsc/authority.pem")


def test_a_certificate_of_the_group_that_the_node_has_is_kept(authority: Authority, node: Path) -> None:
    oin = load_node(node, {}).config.node.oin
    for name in ("certificate.pem", "key.pem"):
        (node / "tls" / name).unlink()
    hosts = ["gemeente.example", "fsc.gemeente.example", "*.gemeente.example"]
    authority.issue(node / "tls", oin, "Gemeente (fictief)", hosts)
    assert join(node, *ADDRESSES).exit_code == 0
    assert load_node(node, {}).config.tls.certificate == node / "tls/certificate.pem"
    assert not (node / "fsc/key.pem").exists()


@pytest.mark.parametrize("named", ["fsc.gemeente.example", "inway.gemeente.example"])
def test_a_certificate_that_does_not_name_manager_and_inway_changes_nothing(
    authority: Authority, node: Path, named: str
) -> None:
    (node / "fsc").mkdir()
    oin = load_node(node, {}).config.node.oin
    authority.issue(node / "fsc", oin, "Gemeente (fictief)", ["gemeente.example", named])
    before = snapshot(node)
    result = join(node, *ADDRESSES)
    assert (result.exit_code, snapshot(node)) == (2, before)
    [absent] = {"fsc.gemeente.example", "inway.gemeente.example"} - {named}
    assert f"{node}/fsc/certificate.pem: " in result.output
    assert f"hier is: {absent}." in result.output


def test_a_certificate_of_the_group_on_other_hosts_is_not_the_one_and_another_is_requested(
    authority: Authority, node: Path
) -> None:
    oin = load_node(node, {}).config.node.oin
    for name in ("certificate.pem", "key.pem"):
        (node / "tls" / name).unlink()
    authority.issue(node / "tls", oin, "Gemeente (fictief)", ["gemeente.example"])
    result = join(node, *ADDRESSES)
    assert result.exit_code == 0, result.output
    assert "Vraag een certificaat aan" in result.output
    assert (node / "fsc/request.pem").exists()


def test_rules_of_another_group_are_not_overwritten(authority: Authority, node: Path, tmp_path: Path) -> None:
    join(node, *ADDRESSES)
    before = snapshot(node)
    (tmp_path / "groep/group.toml").write_text(RULES.replace("proefgroep", "andere"))
    result = join(node, *ADDRESSES)
    assert (result.exit_code, snapshot(node)) == (5, before)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--manager", "https://fsc.gemeente.example:9000"), 2),  # not a port of the group
        (("--manager", "ftp://x:8443"), 2),
        (("--authority", "gemeente/authority"), 3),  # of the node itself, not the group's
        (("--authority", "nergens"), 2),
    ],
)
def test_what_cannot_be_is_told_before_anything_is_written(
    authority: Authority, node: Path, words: tuple[str, ...], code: int
) -> None:
    before = snapshot(node)
    result = join(node, *words)
    assert result.exit_code == code, result.output
    assert "→" in result.output
    assert snapshot(node) == before
    assert not (node / "fsc").exists()


def test_two_listeners_on_one_address_are_told_at_their_place_in_the_settings(
    authority: Authority, tmp_path: Path
) -> None:
    node = tmp_path / "gemeente"
    CliRunner().invoke(main, ["init", str(node)])
    result = join(node, "--inway", "https://localhost:8443")  # where the Manager listens
    assert result.exit_code == 2
    assert f"{node}/node.toml" in result.output
    assert "hetzelfde adres" in result.output
    assert not (node / "fsc").exists()


def test_a_production_node_does_not_join_a_test_group(authority: Authority, node: Path) -> None:
    file = node / "node.toml"
    file.write_text(file.read_text().replace('environment = "test"', 'environment = "production"'))
    before = snapshot(node)
    result = join(node, *ADDRESSES)
    assert (result.exit_code, snapshot(node)) == (3, before)
    assert "testautoriteit" in result.output


def test_where_there_is_no_node_it_names_the_command_that_makes_one(
    authority: Authority, tmp_path: Path
) -> None:
    result = join(tmp_path / "leeg")
    assert result.exit_code == 4
    assert "sluis init" in result.output


def test_a_running_node_must_be_started_again(authority: Authority, node: Path) -> None:
    path = load_node(node, {}).config.listen.socket
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        assert "start het opnieuw" in join(node, *ADDRESSES, "--authority", "autoriteit").output


def test_it_says_so_when_nobody_may_act_in_the_group_yet(authority: Authority, node: Path) -> None:
    words = (*ADDRESSES, "--authority", "autoriteit")
    assert "`fsc-admin`" in join(node, *words).output
    file = node / "node.toml"
    file.write_text(file.read_text().replace('["medewerker"]', '["medewerker", "fsc-admin"]'))
    assert "`fsc-admin`" not in join(node, *words).output


def test_rsa_is_made_when_asked(authority: Authority, node: Path) -> None:
    join(node, *ADDRESSES, "--rsa")
    request = load_pem_x509_csr((node / "fsc/request.pem").read_bytes())
    assert isinstance(request.public_key(), rsa.RSAPublicKey)


@pytest.mark.parametrize("words", [("--manager", "https://anders.example:8443"), (*ADDRESSES, "--rsa")])
def test_a_request_that_was_made_is_not_silently_another(
    authority: Authority, node: Path, words: tuple[str, ...]
) -> None:
    join(node, *ADDRESSES)
    before = snapshot(node)
    result = join(node, *words)
    assert (result.exit_code, snapshot(node)) == (5, before)
    assert "request.pem" in result.output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes files for others")
def test_what_root_makes_belongs_to_the_node(authority: Authority, node: Path) -> None:
    os.chown(node, 65534, 65534)
    join(node, *ADDRESSES, "--authority", "autoriteit")
    made = [node / "fsc", node / "node.toml", *(node / "fsc").iterdir()]
    assert {path.stat().st_uid for path in made} == {65534}


def test_a_production_node_joins_with_a_certificate_of_a_real_authority(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    root = _root(key)
    (tmp_path / "groep").mkdir()
    (tmp_path / "groep/root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    (tmp_path / "groep/group.toml").write_text(RULES.replace("../autoriteit/authority.pem", "root.pem"))
    words = ("--oin", "00000001001000001000", "--name", "Gemeente (fictief)", "--environment", "production")
    real = tmp_path / "echt"
    CliRunner().invoke(main, ["init", str(real), *words, "--url", "https://gemeente.example:9443"])
    asked = join(real, *ADDRESSES, "--rsa")
    assert asked.exit_code == 0, asked.output
    assert "--authority" not in asked.output
    request = load_pem_x509_csr((real / "fsc/request.pem").read_bytes())
    (real / "fsc/certificate.pem").write_bytes(_signed(request, root, key).public_bytes(Encoding.PEM))
    result = join(real, *ADDRESSES)
    assert result.exit_code == 0, result.output
    tls = load_node(real, {}).config.tls
    assert tls.authorities == (real / "fsc/root.pem",)
    assert (real / "fsc/group.toml").read_bytes() == (tmp_path / "groep/group.toml").read_bytes()


def _root(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stamcertificaat (fictief)")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    return (
        x509.CertificateBuilder(name, name, key.public_key(), 1, now - timedelta(1), now + timedelta(9))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _signed(
    request: x509.CertificateSigningRequest, root: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    now, public = datetime.now(UTC), request.public_key()
    both = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        x509.CertificateBuilder(
            root.subject, request.subject, public, 2, now - timedelta(1), now + timedelta(8)
        )
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(both, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(request.extensions[0].value, critical=False)
        .sign(key, hashes.SHA256())
    )
