"""What `sluis apply` reads: documents in YAML, ours and the Service of public guidance."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluis.gateway.documents import (
    Connection,
    Group,
    Peer,
    PublicService,
    Rule,
    missing,
    names,
    offered,
    peer_named,
    read,
)
from sluis.gateway.documents.yaml import DEEPEST, LARGEST, parse_documents
from sluis.kernel import Invalid, PeerId

ONE, TWO = PeerId("00000001000000000001"), PeerId("00000001000000000002")

OURS = f"""\
# Een verzonnen groep
apiVersion: sluis/v1
kind: Group
metadata: {{ name: voorbeeld }}
spec:
  id: voorbeeld-test
  directory: {{ peer: {ONE}, address: "https://directory.voorbeeld.nl:8443" }}
---
apiVersion: sluis/v1
kind: Peer
metadata: {{ name: bevolking }}
spec: {{ id: {TWO}, address: "https://manager.bevolking.voorbeeld.nl:8443" }}
---
apiVersion: sluis/v1
kind: Service
metadata: {{ name: zaken }}
spec:
  url: http://127.0.0.1:8000/zaken
  rules:
    - {{ organizations: [bevolking], permissions: [read] }}
---
apiVersion: sluis/v1
kind: Publication
metadata: {{ name: zaken }}
spec: {{ service: zaken }}
---
apiVersion: sluis/v1
kind: Connection
metadata: {{ name: personen }}
spec:
  service: {{ peer: bevolking, name: personen }}
  properties: {{ colour: blue, levels: [1, 2.5, true, null] }}
  valid: {{ since: 2026-01-01, until: 2026-12-31 }}
---
apiVersion: sluis/v1
kind: Link
metadata: {{ name: personen }}
spec: {{ connection: personen }}
"""

GUIDANCE = """\
apiVersion: fsc.gov.nl/v1
kind: Service
metadata:
  name: gemeente-voorbeeld
  namespace: fsc-voorbeeld
spec:
  endpoints:
    - name: bevolking
      url: https://api.gemeente.voorbeeld.nl/brp/v1
      methods: [GET, POST]
      authentication:
        type: mutual-tls
        certificates:
          - name: gemeente
            path: /etc/certs/gemeente.crt
  authorization:
    policies:
      - name: alleen-deze
        rules:
          - organizations: ["gemeente-een", "gemeente-twee"]
            permissions: ["read", "write"]
"""


def problems(text: str) -> list[str]:
    return [problem.code for problem in read(text, "apply.yaml")[1]]


def test_every_kind_of_ours_is_read() -> None:
    declared, wrong = read(OURS, "apply.yaml")
    assert wrong == ()
    assert [one.kind for one in declared] == ["Group", "Peer", "Service", "Publication", "Connection", "Link"]
    group, peer, connection = declared[0].spec, declared[1].spec, declared[4].spec
    assert isinstance(group, Group)
    assert group.directory.peer == ONE
    assert isinstance(peer, Peer)
    assert type(peer.id) is PeerId
    assert isinstance(connection, Connection)
    assert connection.properties == {"colour": "blue", "levels": [1, 2.5, True, None]}


def test_a_service_as_public_guidance_writes_it_offers_each_endpoint() -> None:
    declared, wrong = read(GUIDANCE, "service.yaml")
    assert wrong == ()
    assert isinstance(declared[0].spec, PublicService)
    (service,) = offered(declared)
    assert (service.name, service.url) == ("bevolking", "https://api.gemeente.voorbeeld.nl/brp/v1")
    assert service.methods == ("GET", "POST")
    assert service.rules == (Rule(("gemeente-een", "gemeente-twee"), ("read", "write")),)
    assert service.certificates == ("/etc/certs/gemeente.crt",)


def test_without_rules_everyone_with_a_contract_may_use_a_service_and_with_none_left_nobody() -> None:
    declared, _ = read(
        OURS.replace("  rules:\n    - { organizations: [bevolking], permissions: [read] }\n", ""), "a"
    )
    assert [one.rules for one in offered(declared)] == [None]
    no_policy = GUIDANCE.partition("  authorization:")[0]
    assert [one.rules for one in offered(read(no_policy, "a")[0])] == [None]
    assert problems(no_policy + "  authorization: { policies: [] }\n") == ["empty-value"]


def test_an_organisation_is_named_by_a_peer_document_by_the_node_or_by_its_id() -> None:
    declared, _ = read(OURS, "a")
    known = names(declared, {"gemeente": ONE})
    assert peer_named("bevolking", known) == TWO
    assert peer_named("gemeente", known) == ONE
    assert peer_named(str(ONE), known) == ONE
    with pytest.raises(Invalid, match="bevolking"):
        peer_named("bevolkin", known)


def test_what_leads_nowhere_is_told_with_its_line() -> None:
    text = OURS.replace("connection: personen", "connection: persoon").replace(
        "peer: bevolking", "peer: burgerzaken"
    )
    found = missing(read(text, "apply.yaml")[0], {})
    assert [problem.code for problem in found] == ["unknown-organisation", "unknown-connection"]
    assert all(problem.place is not None and problem.place.line > 20 for problem in found)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (("kind: Peer", "kind: Pear"), "unknown-kind"),
        (("sluis/v1\nkind: Peer", "sluis/v2\nkind: Peer"), "unknown-kind"),
        (("kind: Link", "kind: Link\nstatus: ok"), "unknown-key"),
        (("spec: { service: zaken }", "spec: { servic: zaken }"), "missing-key"),
        (("https://directory.voorbeeld.nl:8443", "https://directory.voorbeeld.nl"), "wrong-value"),
        (("https://directory.voorbeeld.nl:8443", "http://directory.voorbeeld.nl:8443"), "wrong-value"),
        ((f"{{ id: {TWO}", "{ id: 12"), "wrong-type"),
        (("permissions: [read]", "permissions: [delete]"), "wrong-value"),
        (("since: 2026-01-01", "since: morgen"), "wrong-value"),
        (("kind: Publication\nmetadata: { name: zaken }", "kind: Publication\nmetadata: { name: '../x' }"), "wrong-value"),
        (("{ service: zaken }", "{ service: zaken, properties: { sluis.purpose: { activity: a } } }"), "purpose-in-publication"),
        (("{ service: zaken }", "{ service: zaken, protocol: PROTOCOL_TCP_HTTP_2 }"), "protocol-not-spoken"),
        (("/zaken\n  rules", "/zaken\n  protocol: PROTOCOL_TCP_HTTP_2\n  rules"), "protocol-not-spoken"),
        (("kind: Link\nmetadata: { name: personen }\nspec: { connection: personen }",
          "kind: Peer\nmetadata: { name: bevolking }\n"
          f"spec: {{ id: {ONE}, address: 'https://een.voorbeeld.nl:443' }}"), "declared-twice"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_name(change: tuple[str, str], code: str) -> None:
    text = OURS.replace(*change)
    assert text != OURS
    found = read(text, "apply.yaml")[1]
    assert code in [problem.code for problem in found]
    assert all(problem.place is not None and problem.place.line for problem in found)


@pytest.mark.parametrize(
    "text",
    [
        "a: 1\na: 2",
        "a: &b [1]\nc: *b",
        "a: !!python/object:os.system x",
        "a: !other x",
        "- a\n- b",
        "just text",
        "a: [",
        "? [a]\n: b",
        "a: " + "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2),
        "a: " + "[" * 5000 + "]" * 5000,
    ],
)
def test_yaml_that_can_mean_something_else_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        parse_documents(text, "a.yaml")


def test_a_file_that_nobody_can_have_written_is_not_read() -> None:
    with pytest.raises(Invalid, match=str(LARGEST)):
        parse_documents("a: " + "x" * LARGEST, "a.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("2026-01-31", "2026-01-31"),
        ("00000001000000000001", "00000001000000000001"),
        ("12345678901234567890", "12345678901234567890"),
        ("0x10", "0x10"),
        ("12:30", "12:30"),
        ("12", 12),
        ("-1.5", -1.5),
        ("true", True),
        ("'true'", "true"),
        ("null", None),
    ],
)
def test_plain_text_means_what_it_says(text: str, value: object) -> None:
    (document,) = parse_documents(f"a: {text}", "a.yaml")
    assert document.tables == {"a": value}
    assert type(document.tables["a"]) is type(value)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_problem(text: str) -> None:
    with suppress(Invalid):
        read(text, "a.yaml")


def test_the_documents_on_the_page_about_fsc_can_be_applied() -> None:
    page = (Path(__file__).parents[4] / "docs/how-to/fsc.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(shown) >= 3
    for text in shown:
        declared, wrong = read(text, "fsc.md")
        assert (wrong, missing(declared, {})) == ((), ())
