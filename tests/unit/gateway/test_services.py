"""What a peer offers: declarations become services, and policies say who may do what."""

from typing import Any

import pytest

from sluis.gateway.documents import Offered, Permission, Rule
from sluis.gateway.forward import Target, read_url
from sluis.gateway.services import Service, Services, service_of
from sluis.kernel import Invalid, PeerId

ONE, TWO = PeerId("00000000000000000001"), PeerId("00000000000000000002")
METHODS = {"GET": "read", "HEAD": "read"} | dict.fromkeys(
    ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"], "write"
)


def made(name: str = "personen", url: str = "http://10.0.0.1:8080/api/", **changes: Any) -> Service:
    return service_of(Offered(name, url, **changes), {"Gemeente": ONE, "Dienst": TWO})


def rule(organization: str, permission: Permission) -> Rule:
    return Rule((organization,), (permission,))


def test_declared_url_becomes_target_and_prefix() -> None:
    service = made()
    assert (service.target, service.prefix) == (Target(False, "10.0.0.1", 8080, "10.0.0.1:8080"), "/api")
    assert read_url("https://dienst.example") == (Target(True, "dienst.example", 443, "dienst.example"), "")
    assert read_url("https://[::1]:8443/x")[0].host == "::1"


@pytest.mark.parametrize(
    "wrong",
    [
        "ftp://x", "http://", "x", "http://a:b@c", "http://a?b", "http://a#b", "http://a:99999", "http://a b",
        "http://a\r\nb", "http://ä.example", "http://[::1", "https:///x",
    ],
)  # fmt: skip
def test_what_is_no_url_is_refused(wrong: str) -> None:
    with pytest.raises(Invalid):
        made(url=wrong)


def test_alternative_has_the_same_path() -> None:
    assert made(alternative="http://10.0.0.2:8080/api").alternative == read_url("http://10.0.0.2:8080")[0]
    with pytest.raises(Invalid):
        made(alternative="http://10.0.0.2:8080/other")


@pytest.mark.parametrize("method", METHODS)
def test_reading_is_get_and_head_and_everything_else_is_writing(method: str) -> None:
    service = made(rules=(rule("Gemeente", "read"), rule(TWO, "write")))
    assert (service.allows(ONE, method), service.allows(TWO, method)) == (
        METHODS[method] == "read",
        METHODS[method] == "write",
    )


@pytest.mark.parametrize(
    "path",
    [
        "/../x", "/a/../../x", "/%2e%2E/x", "/%252e%252e/x", "/..%2fx", "/..;a=b/x", "/a\\..\\..\\x", "/..", "*", "*x", "?x", "..",
    ],
)  # fmt: skip
def test_nothing_beside_the_prefix_is_reached(path: str) -> None:
    """RFC 3986 section 6.2.2.3, and how some servers read a path besides."""
    assert not made().holds(path)
    assert made(url="http://10.0.0.1:8080").holds(path)  # the whole host is the service


@pytest.mark.parametrize("path", ["/", "/a//b", "/a..b/..c/...", "/a?b=/../c", "/%C3%A9/%25"])
def test_what_is_below_the_prefix_is_reached(path: str) -> None:
    assert made().holds(path)


def test_nobody_gets_a_tunnel() -> None:
    assert not made().takes("CONNECT")


def test_rules_about_one_organisation_add_up_also_by_name_and_number() -> None:
    service = made(rules=(rule("Gemeente", "read"), rule(ONE, "write")))
    assert service.allows(ONE, "GET")
    assert service.allows(ONE, "POST")
    assert not service.allows(TWO, "GET")


def test_without_policy_a_contract_is_enough_and_an_empty_policy_lets_nobody_in() -> None:
    assert made().allows(ONE, "DELETE")
    assert not made(rules=()).allows(ONE, "GET")


def test_organisation_that_is_not_known_is_refused() -> None:
    with pytest.raises(Invalid, match="Onbekend") as raised:
        made(rules=(rule("Onbekend", "read"),))
    assert raised.value.code == "unknown-organisation"


def test_methods_that_are_named_are_all_there_are() -> None:
    assert made(methods=("GET",)).takes("GET")
    assert not made(methods=("GET",)).takes("POST")
    assert made().takes("BREW")


def test_services_are_replaced_as_a_whole() -> None:
    services = Services([made()])
    services.replace([made(name="inkomens")])
    assert (services.names(), services.get("personen")) == (frozenset({"inkomens"}), None)


def test_a_client_certificate_is_shown_at_both_places_of_a_service() -> None:
    files = ("/etc/certs/gemeente.crt",)
    service = made(url="https://a.example/x", alternative="https://b.example/x", certificates=files)
    assert service.alternative is not None
    assert (service.target.shows, service.alternative.shows) == (files, files)


def test_a_client_certificate_is_not_for_http() -> None:
    with pytest.raises(Invalid, match="client certificate"):
        made(certificates=("/etc/certs/gemeente.crt",))
