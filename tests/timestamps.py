"""A timestamping authority for tests: Debian's own `openssl ts` under a fictitious root, behind HTTP where needed."""

import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.servers import need

NAME = "Tijdstempels (fictief)"

_CONFIG = """
[tsa]
default_tsa = t
[t]
serial = {home}/serial
signer_cert = {home}/tsa.pem
signer_key = {home}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
"""


class Authority:
    """An authority with its files in `home`; `root` is the certificate that others trust it by."""

    def __init__(self, home: Path) -> None:
        need("openssl", lambda: shutil.which("openssl") is not None)
        home.mkdir(parents=True, exist_ok=True)
        self.home, self.root = home, home / "root.pem"
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        usage = [ExtendedKeyUsageOID.TIME_STAMPING]
        root = _certificate("Stam (fictief)", root_key, "Stam (fictief)", root_key)
        leaf = _certificate(NAME, key, "Stam (fictief)", root_key, usage)
        self.root.write_bytes(root.public_bytes(Encoding.PEM))
        self.certificate = root
        (home / "tsa.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
        (home / "tsa.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        (home / "serial").write_text("01\n")
        (home / "ts.cnf").write_text(_CONFIG.format(home=home))

    def answer(self, request: bytes) -> bytes:
        """What `openssl ts -reply` makes of a request."""
        (self.home / "query").write_bytes(request)
        command = ["openssl", "ts", "-reply", "-config", "ts.cnf", "-queryfile", "query", "-out", "reply"]
        subprocess.run(command, cwd=self.home, check=True, capture_output=True)
        return (self.home / "reply").read_bytes()

    async def send(self, request: bytes) -> bytes:
        """`answer`, as `anchoring.Send`."""
        return self.answer(request)


@contextmanager
def served(answer: Callable[[bytes], bytes]) -> Iterator[str]:
    """An authority over HTTP; gives its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = answer(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200 if self.headers["content-type"] == "application/timestamp-query" else 415)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/tsp"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    usage: list[x509.ObjectIdentifier] | None = None,
) -> x509.Certificate:
    now, ca = datetime.now(UTC), usage is None
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
