"""The product in a process of its own, so that it can be killed. The parent speaks to it in lines of JSON.

As a program (`python -m tests.fsc.product_process`) this is the child: its first line says where it lives, each further
line is one call of a method of `Product`, answered with one line.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from tests.fsc.authority import Authority, Identity
from tests.fsc.papers import Json
from tests.fsc.peer import GROUP, Peer
from tests.fsc.product import Product
from tests.fsc.wire import Caller, Response, data_port, free_address

ROOT = Path(__file__).parents[2]


class ProductProcess:
    """What `Product` is to tests, with `kill` and `start` besides. Addresses and files stay the same between the two."""

    def __init__(
        self,
        authority: Authority,
        folder: Path,
        oin: str,
        name: str,
        *,
        host: str | None = None,
        namespace: str | None = None,
    ) -> None:
        self.authority, self.id, self.name, self.group = authority, oin, name, GROUP
        hosts = host or free_address(8443), host or free_address(data_port())
        self._within = ["ip", "netns", "exec", namespace] if namespace else []
        self.manager_address = f"https://{hosts[0]}:8443"
        self.inway_address = f"https://{hosts[1]}:{data_port()}"
        self.signing = authority.issue(oin, name, [*hosts, "localhost"])
        self.outway_thumbprint = self.signing.public_key_thumbprint
        self.outway_address = ""
        self._place = {
            "oin": oin,
            "name": name,
            "folder": str(folder),
            "hosts": hosts,
            "chain": str(self.signing.chain_file),
            "key": str(self.signing.key_file),
            "root": str(authority.root_file),
        }
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> "ProductProcess":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it; on the files of before, when there was a before."""
        path = os.pathsep.join((str(ROOT), str(ROOT / "src")))
        self._child = subprocess.Popen(
            [*self._within, sys.executable, "-W", "ignore", "-m", "tests.fsc.product_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": path},
        )
        self.outway_address = self._line(self._place)

    def kill(self) -> None:
        """`kill -9`, at whatever it is doing."""
        child, self._child = self._child, None
        if child is not None:
            child.send_signal(signal.SIGKILL)
            child.wait(10)
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except BrokenPipeError:
                        continue

    def _line(self, said: Any) -> Any:
        child = self._child
        if child is None or child.stdin is None or child.stdout is None:
            raise EOFError
        try:
            child.stdin.write(json.dumps(said) + "\n")
            child.stdin.flush()
            line = child.stdout.readline()
        except (OSError, ValueError) as error:
            raise EOFError from error
        if not line:
            raise EOFError
        return json.loads(line)

    def meets(self, _: Peer) -> None:
        """It runs the plane that connects to addresses: there is nothing to tell."""

    def propose(self, found: Json) -> Json:
        made: Json = self._line(["propose", found])
        return made

    def accept(self, hash_: str) -> None:
        self._line(["accept", hash_])

    def state(self, hash_: str) -> str | None:
        found: str | None = self._line(["state", hash_])
        return found

    def counts(self, grant_hash: str) -> bool:
        found: bool = self._line(["counts", grant_hash])
        return found

    def reconcile(self) -> None:
        self._line(["reconcile"])

    def revoke(self, hash_: str) -> None:
        self._line(["revoke", hash_])

    def app_there(self, method: str, target: str, headers: list[tuple[str, str]]) -> tuple[int, str]:
        """A request of an application on the product's own machine: status and body."""
        status, text = self._line(["app_there", method, target, headers])
        return status, text

    def app(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes | None) -> Response:
        with Caller(self.outway_address, None, self.authority, patience=20) as caller:
            return caller.ask(method, target, headers, body)


class _Issued:
    """What a child has of the authority: the root, and its own certificate."""

    def __init__(self, place: Json) -> None:
        self.root_file = Path(place["root"])
        first, *above = x509.load_pem_x509_certificates(Path(place["chain"]).read_bytes())
        key = load_pem_private_key(Path(place["key"]).read_bytes(), None)
        self._identity = Identity(key, first, tuple(above), Path(place["chain"]).parent)

    def issue(self, *_: object, **__: object) -> Identity:
        return self._identity


def main() -> None:
    """Be the child until there is nothing more to read."""
    place = json.loads(sys.stdin.readline())
    issued: Any = _Issued(place)
    with Product(
        issued, Path(place["folder"]), place["oin"], place["name"], hosts=tuple(place["hosts"])
    ) as product:
        print(json.dumps(product.outway_address), flush=True)
        for line in sys.stdin:
            name, *arguments = json.loads(line)
            print(json.dumps(getattr(product, name)(*arguments)), flush=True)


if __name__ == "__main__":
    main()
