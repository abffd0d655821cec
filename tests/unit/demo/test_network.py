"""Addresses for the nodes: free ones, and ports that the group's rules name."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from sluis.config import load_config, read_group
from sluis.kernel import Invalid
from sluis_demo import network
from sluis_demo.federation import GROUP_FILE, Options, set_up
from sluis_demo.network import find_network


def test_a_network_in_use_is_passed_over() -> None:
    first = find_network()
    with closing(socket.socket()) as taken:
        taken.bind((first.host(1), first.manager))
        assert find_network().prefix != first.prefix


def test_a_machine_without_localhost_is_told_what_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(Invalid) as caught:
        find_network()
    assert caught.value.code == "no-localhost"


def test_the_port_of_a_portal_is_kept_from_other_demos_and_not_from_its_own_node() -> None:
    first, second = find_network(), find_network()
    assert first.portal != second.portal
    with closing(socket.socket()) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((network.AT_HOME, first.portal))
        listener.listen()


def test_where_the_ports_of_the_standard_are_not_to_be_had_the_group_names_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("0.0.0.0", 0))  # on every address
        monkeypatch.setattr(network, "STANDARD", (taken.getsockname()[1], 443, 8480, 8490))
        places = set_up(Options(home=tmp_path), []).places
    group = read_group(tmp_path / GROUP_FILE)
    addresses = set()
    for place in places:
        config = load_config(place.directory / "node.toml", {})
        assert {config.manager.port, config.inway.port} == set(group.ports)
        addresses.add(config.manager.host)
    assert group.ports[0] != network.STANDARD[0]
    assert len(addresses) == len(places) == 7
