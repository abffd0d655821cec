"""What is left to do for who runs the asker's node, so that its pages show something to decide on: another organisation's proposal
that waits, and subscriptions of which one needs attention and one has a dead letter. Made when the story is over and the demo stays up. All of it is fictitious.
"""

from collections.abc import Iterable
from contextlib import suppress

from sluis.kernel import Problem
from sluis_demo.casesystem import CaseSystem
from sluis_demo.federation import Place

SERVICE = "werkvoorraad"

_OFFERED = f"""
apiVersion: sluis/v1
kind: Service
metadata: {{name: {SERVICE}}}
spec: {{url: "http://127.0.0.1:9"}}
---
apiVersion: sluis/v1
kind: Publication
metadata: {{name: {SERVICE}}}
spec: {{service: {SERVICE}}}
"""
_WANTED = """
apiVersion: sluis/v1
kind: Connection
metadata: {{name: {owner}-{service}}}
spec: {{service: {{peer: {owner}, name: {service}}}}}
"""
_HEARING = (
    {"sink": "urn:sluis:feed", "protocol": "HTTP"},
    {"sink": "https://zaaksysteem.sluiswijk.example/gebeurtenissen", "protocol": "HTTP"},  # nobody is there
)


def leave_open(asker: Place, up: Iterable[Place]) -> CaseSystem:
    """Offer a service at the asker, have another organisation ask for it, and have three systems of the asker subscribe, one of which
    refuses what it hears first.

    Args:
        asker: whose pages people see.
        up: the nodes that run.

    Returns the system that refuses, which is to be ended.
    """
    other = next((place for place in up if place is not asker), None)
    with suppress(Problem):  # the demo goes on without
        asker.call("POST", "/v1/group/declarations", {"text": _OFFERED, "name": "aanbod.yaml"})
        if other is not None:
            text = _WANTED.format(owner=asker.alias, service=SERVICE)
            other.call("POST", "/v1/group/declarations", {"text": text, "name": "wens.yaml"})
    with suppress(Problem):
        for one in _HEARING:
            asker.call("POST", "/v1/subscriptions", one)
    system = CaseSystem()
    with suppress(Problem):
        system.listen(asker)
    return system
