"""The group's rules, and which address of a Manager is believed to be one."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluis.gateway.peers import Directory, Group, check_group, in_pages, manager_address
from sluis.kernel import Invalid, PeerId

PORTS = (443, 8443)
GROUP = Group(
    "voorbeeld/groep-1", (Path("a.pem"),), Directory(PeerId("0" * 19 + "1"), "https://directory.example:8443")
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://manager.example:8443", "https://manager.example:8443"),
        ("https://Manager.Example:443/", "https://manager.example:443"),
        ("https://127.20.1.1:8443", "https://127.20.1.1:8443"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
    ],
)
def test_an_address_has_one_form(given: str, expected: str) -> None:
    assert manager_address(given, PORTS) == expected


@pytest.mark.parametrize(
    "given",
    [
        "",
        "http://manager.example:8443",
        "https://manager.example",  # the standard wants a port
        "https://manager.example:22",
        "https://manager.example:8443/v1",
        "https://manager.example:8443?x",
        "https://manager.example:8443#",
        "https://user@manager.example:8443",
        "https://:8443",
        "https://0.0.0.0:8443",
        "https://[::]:8443",
        "https://[fe80::1%25eth0]:8443",
        "https://1.2.3:8443",
        "https://2130706433:8443",
        "https://manager..example:8443",
        "https://-manager.example:8443",
        "https://manager.example:99999",
        "https://mana ger.example:8443",
        "https://manager.example:8443\r\nhost: x",
        "https://manâger.example:8443",
        "https://" + "a" * 250 + ":8443",
        "file:///etc/passwd",
        "//manager.example:8443",
    ],
)
def test_nothing_else_is_an_address(given: str) -> None:
    with pytest.raises(Invalid):
        manager_address(given, PORTS)


@given(st.text(max_size=40))
def test_whatever_is_said_an_address_is_only_host_and_port(text: str) -> None:
    try:
        found = manager_address("https://" + text, PORTS)
    except Invalid:
        return
    host, _, port = found.removeprefix("https://").rpartition(":")
    assert port in {"443", "8443"}
    assert not set(host) & set("/?#@\\ \r\n%")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "a b"},
        {"id": ""},
        {"id": "x" * 101},
        {"anchors": ()},
        {"ports": ()},
        {"ports": (0,)},
        {"ports": (443,)},
    ],
)
def test_rules_that_cannot_be_held_to_are_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Invalid):
        check_group(msgspec.structs.replace(GROUP, **changes))
    assert check_group(GROUP) is GROUP


@given(st.sets(st.text("abc", max_size=4)), st.integers(1, 5), st.booleans())
def test_pages_hold_every_name_once_in_order(names: set[str], limit: int, descending: bool) -> None:
    names.discard("")
    found, cursor = list[str](), ""
    while True:
        page, cursor = in_pages(names, cursor, limit, descending)
        found += page
        assert len(page) <= limit
        if not cursor:
            break
    assert found == sorted(names, reverse=descending)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "127.20.3.4", "[::1]", "[::ffff:127.0.0.1]", "169.254.169.254", "[fe80::1]", "[::ffff:a9fe:a9fe]",
        "localhost", "manager.localhost",
    ],
)  # fmt: skip
def test_a_peer_does_not_send_this_node_to_itself(host: str) -> None:
    assert manager_address(f"https://{host}:443", PORTS)
    with pytest.raises(Invalid):
        manager_address(f"https://{host}:443", PORTS, near=False)


@pytest.mark.parametrize(
    "host", ["10.1.2.3", "192.168.1.1", "[fd00::1]", "manager.gemeente.nl", "localhost.nl"]
)
def test_a_group_may_meet_on_a_network_of_its_own(host: str) -> None:
    assert manager_address(f"https://{host}:443", PORTS, near=False)


@pytest.mark.parametrize(
    "host",
    [
        "0x7f000001",
        "0x7f.0x1",
        "127.0x1",
        "2130706433",
        "224.0.0.1",
        "255.255.255.255",
        "[ff02::1]",
        "0.0.0.0",
    ],
)
def test_a_host_that_others_read_as_an_address_is_none(host: str) -> None:
    with pytest.raises(Invalid):
        manager_address(f"https://{host}:443", PORTS)
