"""The configuration of nginx: what must stand in it, and what can never get into it."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluis.crypto import SUITES_1_2
from sluis.gateway.faults import FAULTS, FscProblem
from sluis.gateway.planes.nginx_conf import REFUSALS, ascii_body, configuration
from sluis.gateway.planes.nginx_layout import Layout, Listen, Place, authority_of
from sluis.kernel import Invalid, Text

PEER = "00000009900000000002"
BOTH = Layout(7, Listen("127.0.0.1", 8080), Listen("127.0.0.2", 8443), workers=1)

Block = tuple[list[str], list["Block"]]
"""A directive as its words, and the directives within its braces."""


def parsed(text: str) -> list[Block]:
    """A configuration as nginx reads it: words, quoted words, semicolons and braces."""
    words = re.findall(r'"(?:\\.|[^"\\])*"|[{};]|[^\s{};"]+', re.sub(r"(?m)^\s*#.*$", "", text))
    return list(_blocks(iter(words)))


def _blocks(words: Iterator[str]) -> Iterator[Block]:
    said = list[str]()
    for word in words:
        if word == "}":
            return
        if word in "{;":
            yield said, list(_blocks(words)) if word == "{" else []
            said = []
        else:
            said.append(word)


def found(blocks: list[Block], *path: str) -> list[Block]:
    """The directives at a path of names."""
    here = [block for block in blocks if block[0][0] == path[0]]
    return here if len(path) == 1 else [one for block in here for one in found(block[1], *path[1:])]


def servers(layout: Layout) -> dict[str, list[Block]]:
    """What stands in each server block, by what it listens on."""
    return {
        found(block[1], "listen")[0][0][1]: block[1]
        for block in found(parsed(configuration(layout)), "http", "server")
    }


def values(blocks: list[Block], *path: str) -> list[str]:
    """The words after the name, of each directive at a path."""
    return [" ".join(block[0][1:]) for block in found(blocks, *path)]


def shape(blocks: list[Block], named: bool = True) -> list[object]:
    """The names of all directives, and how many words each has; in a map, names are values."""
    return [(said[0] if named else "", len(said), shape(within, said[0] != "map")) for said, within in blocks]


@given(st.text(max_size=40), st.text(max_size=20), st.integers(-5, 70000))
def test_no_name_becomes_a_directive(host: str, address: str, port: int) -> None:
    plain = layout_of(Place("inway.example", 443, True, PEER, ("127.0.0.1",)))
    for place in (
        Place(host, port, True, PEER, ("127.0.0.1",)),
        Place("inway.example", 443, True, PEER, (address,)),
    ):
        try:
            text = configuration(layout_of(place))
        except Invalid:
            continue
        assert shape(parsed(text)) == shape(parsed(configuration(plain)))


def layout_of(place: Place | Layout) -> Layout:
    return place if isinstance(place, Layout) else Layout(1, BOTH.outway, BOTH.inway, (place,))


@pytest.mark.parametrize(
    "host",
    [
        "a;b",
        'a"b',
        "a b",
        "a{b",
        "a$b",
        "a\nb",
        "",
        "a..b",
        "-a",
        "a" * 300,
        "[::1]",
        "unix:/x",
        "127.0.0.1:1",
        "a#b",
    ],
)
def test_name_that_is_none_is_refused(host: str) -> None:
    with pytest.raises(Invalid):
        configuration(layout_of(Place(host, 443, True, PEER, ("127.0.0.1",))))


@pytest.mark.parametrize("address", ["localhost", "127.0.0.1;", "::1%lo", "unix:x", ""])
def test_only_an_address_is_listened_on_or_sent_to(address: str) -> None:
    with pytest.raises(Invalid):
        configuration(Layout(1, inway=Listen(address, 8443)))
    with pytest.raises(Invalid):
        configuration(layout_of(Place("inway.example", 443, True, PEER, (address,))))


def test_worker_is_never_somebody_with_a_strange_name() -> None:
    with pytest.raises(Invalid):
        configuration(Layout(1, user="nobody; daemon on"))


def test_inway_lets_nobody_in_without_a_certificate_of_the_group() -> None:
    inway = servers(BOTH)["127.0.0.2:8443"]
    assert values(inway, "ssl_verify_client") == ["on"]
    assert values(inway, "ssl_client_certificate") == ["anchors.pem"]
    assert (values(inway, "ssl_session_tickets"), values(inway, "ssl_session_cache")) == (["off"], ["off"])


def test_tls_is_that_of_our_own_listeners() -> None:
    inway, outway = servers(BOTH)["127.0.0.2:8443"], servers(BOTH)["127.0.0.1:8080"]
    for blocks, prefix, within in ((inway, "ssl", ()), (outway, "proxy_ssl", ("location",))):
        assert set(values(blocks, *within, f"{prefix}_protocols")) == {"TLSv1.2 TLSv1.3"}
        assert set(values(blocks, *within, f"{prefix}_ciphers")) == {f'"{SUITES_1_2}"'}


def test_whoever_answers_the_outway_must_bear_the_name_it_was_sent_to() -> None:
    place = Place("inway.example", 8443, True, PEER, ("10.0.0.1",))
    blocks = parsed(configuration(layout_of(place)))
    [outway] = [
        within
        for said, within in found(servers(layout_of(place))["127.0.0.1:8080"], "location")
        if said[1] == "/"
    ]
    assert values(outway, "proxy_ssl_verify") == ["on"]
    assert (values(outway, "proxy_ssl_name"), values(outway, "proxy_ssl_server_name")) == (["$name"], ["on"])
    assert values(outway, "proxy_ssl_session_reuse") == ["off"]
    [names] = [one for one in found(blocks, "http", "map") if one[0][1:] == ["$to", "$name"]]
    assert [f'"https://{place.block}"', '"inway.example"'] in [said for said, _ in names[1]]


def test_revoked_certificates_count_both_ways() -> None:
    listed = Layout(1, BOTH.outway, BOTH.inway, revocations=True)
    assert values(servers(listed)["127.0.0.2:8443"], "ssl_crl") == ["revoked.pem"]
    assert values(servers(listed)["127.0.0.1:8080"], "location", "proxy_ssl_crl") == ["revoked.pem"] * 2


def test_nothing_about_requests_is_kept() -> None:
    blocks = parsed(configuration(BOTH))
    assert values(blocks, "http", "access_log") == ["off"]
    for kept in values(blocks, "http", "server", "access_log"):
        assert kept.startswith(("syslog:server=unix:report.sock,nohostname report if=$report", "counts "))
    figures = {"$status", "$request_time", "$body_bytes_sent", "$request_length", "$upward"}
    outcome = {"$upstream_header_time", "$upstream_status", "$place", "$token", "$transaction"}
    refused = {"$sent_http_fsc_error_code", "$upstream_http_fsc_error_code"}
    told = set(re.findall(r"\$\w+", " ".join(values(blocks, "http", "log_format"))))
    assert told == figures | outcome | refused


def test_each_place_that_is_another_has_a_block_of_its_own() -> None:
    place = Place("inway.example", 443, True, PEER, ("10.0.0.1",))
    others = [
        Place("inway.example", 444, True, PEER, ("10.0.0.1",)),
        Place("inway.example", 443, False, PEER, ("10.0.0.1",)),
        Place("inway.example", 443, True, "00000009900000000003", ("10.0.0.1",)),
        Place("inway.example", 443, True, PEER, ("10.0.0.2",)),
        Place("elders.example", 443, True, PEER, ("10.0.0.1",)),
    ]
    assert len({one.block for one in [place, *others]}) == 6
    assert len({one.key for one in [place, *others]}) == 5  # other addresses, the same place


def test_every_request_is_asked_about() -> None:
    for blocks in (servers(BOTH)["127.0.0.1:8080"], servers(BOTH)["127.0.0.2:8443"]):
        assert values(blocks, "auth_request") == ["sluis-decide"]
        [here] = [within for said, within in found(blocks, "location") if said == ["location", "/"]]
        assert not found(here, "auth_request")


def test_question_has_nothing_from_the_client_but_what_is_named() -> None:
    for blocks in (servers(BOTH)["127.0.0.1:8080"], servers(BOTH)["127.0.0.2:8443"]):
        [asked] = [
            within for said, within in found(blocks, "location") if said == ["location", "sluis-decide"]
        ]
        assert found(asked, "internal")
        assert values(asked, "proxy_pass_request_headers") == ["off"]
        assert values(asked, "proxy_pass_request_body") == ["off"]
        for sent in values(asked, "proxy_set_header"):
            value = sent.partition(" ")[2]
            assert "$http_" not in value or value.startswith('"=')


def test_headers_are_set_where_they_are_sent() -> None:
    """nginx takes none from outside a block that sets one itself; without this, connections would not be kept."""
    for blocks in servers(BOTH).values():
        for said, within in found(blocks, "location"):
            if found(within, "proxy_pass"):
                assert 'Connection ""' in values(within, "proxy_set_header"), said


def test_every_status_of_fsc_can_be_refused_with() -> None:
    by_nginx_itself = {FAULTS["ERROR_CODE_UNKNOWN_HOST"].status}
    assert {fault.status for fault in FAULTS.values()} - by_nginx_itself <= set(REFUSALS)
    for blocks in (servers(BOTH)["127.0.0.1:8080"], servers(BOTH)["127.0.0.2:8443"]):
        for status in REFUSALS:
            assert f"@refused-{status}" in values(blocks, "location")


NAMES = ("Outway.intern", "_buiten.example")


def test_a_request_by_another_name_is_refused_before_anything_is_asked() -> None:
    layout = Layout(1, Listen("127.0.0.1", 8080, NAMES), BOTH.inway)
    other, ours = [block[1] for block in found(parsed(configuration(layout)), "http", "server")[1:3]]
    assert values(other, "listen") == ["127.0.0.1:8080 default_server backlog=4096"]
    assert values(ours, "listen") == ["127.0.0.1:8080"]
    assert not [one for one in ("auth_request_set", "proxy_pass") if found(other, one)]
    assert [one for one in values(other, "location") if not one.startswith("= //sluis-40")] == ["/"]
    [[_, everything]] = [one for one in found(other, "location") if one[0][1] == "/"]
    assert values(everything, "return")[0].startswith("421 ")
    assert not found(everything, "proxy_pass")


@pytest.mark.parametrize(("address", "own"), [("127.0.0.1", '"127.0.0.1"'), ("::1", '"[::1]"')])
def test_the_outway_is_called_by_its_address_and_by_names_that_it_was_given(address: str, own: str) -> None:
    layout = Layout(1, Listen(address, 8080, NAMES), None)
    ours = found(parsed(configuration(layout)), "http", "server")[-1][1]
    named = values(ours, "server_name")[0].split(" ")
    assert {own, '"localhost"', '"outway.intern"', '"_buiten.example"'} == {
        one for one in named if not one.startswith('"~')
    }


@pytest.mark.parametrize(
    "name", ["~.*", "*.example", ".example", "", "a b", "a;b", 'a"', "a}", "$host", "a:80"]
)
def test_no_name_of_the_outway_becomes_a_pattern_or_a_directive(name: str) -> None:
    with pytest.raises(Invalid):
        configuration(Layout(1, Listen("127.0.0.1", 8080, (name,)), None))


RARE = {
    said[2][1:]: next(
        one[0].strip('"')[1:].replace("(?<", "(?P<") for one, _ in within if one[0].startswith('"~')
    )
    for said, within in found(parsed(configuration(BOTH)), "http", "map")
    if said[1] == "$rare"
}
"""What nginx reads of the header of what few answers say, by name; named groups as Python writes them."""


def rare(told: str) -> dict[str, str]:
    """What nginx reads of it."""
    read = {name: re.search(pattern, told) for name, pattern in RARE.items()}
    return {name: match[f"rare_{name}"] for name, match in read.items() if match}


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), min_size=1))
def test_path_or_body_is_never_read_as_another_word_of_an_answer(text: str) -> None:
    assert rare(f"P={text}") == {"path": text}
    assert rare(f"P=/x W=1 I=a/b {text}") == {"path": f"/x W=1 I=a/b {text}"}
    told = {"key": "https://a:1#2", "watch": "1", "instead": "2/b", "path": text}
    assert rare(f"K=https://a:1#2 W=1 I=2/b P={text}") == told
    refused = {"refused": "@refused-401", "code": "ERROR", "body": text}
    assert rare(f"S=@refused-401 E=ERROR B={text}") == refused


@given(st.text())
def test_error_is_one_line_of_ascii(why: str) -> None:
    body = ascii_body(FscProblem("ERROR_CODE_SERVICE_NOT_FOUND", "ERROR_DOMAIN_INWAY", Text(why, why)))
    assert body.isascii()
    assert body.isprintable()


@pytest.mark.parametrize(
    ("tls", "host", "port", "authority"),
    [
        (True, "a.example", 443, "a.example"),
        (True, "a.example", 8443, "a.example:8443"),
        (False, "a.example", 80, "a.example"),
        (False, "::1", 8080, "[::1]:8080"),
    ],
)
def test_authority_is_as_in_a_url(tls: bool, host: str, port: int, authority: str) -> None:
    assert authority_of(tls, host, port) == authority
