"""What the gateway's measurements share: a service, a bare nginx to nginx pair to compare with, processor time and
memory of whole process trees, and the two programs that load them.

Ours and the bare pair run side by side and take turns, so that a busy machine slows both. All processes of either pair
share the first core; the service, its load and whoever measures have the other.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import msgspec

from _servers import HOST, VAR, free_port
from sluis.crypto import Authority, make_authority, public_key_thumbprint, read_certificates
from sluis.gateway.contracts import read_content
from sluis.kernel import PeerId

ASKER, OWNER = PeerId("00000009900000000001"), PeerId("00000009900000000002")
"""Fictitious peers."""
SERVICE = "meetdienst"
INWAY_HOST = "localhost"
FOLDER = VAR / "gateway"
PAIR_CORE, LOAD_CORE, ANY_CORE = "0", "1", "0,1"
LARGE = 1 << 30
"""Bytes of the large body."""

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_READY = 20.0  # seconds
_SETTLED = 3.0
_HEAD = """
daemon off; master_process {master}; worker_processes 1; pid nginx.pid; error_log stderr error; {user}
events {{ worker_connections 4096; }}
http {{
access_log off; server_tokens off; keepalive_requests 1000000; client_max_body_size 0;
client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
"""
_SERVICE = """
server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type text/plain; return 200 "{body}"; }}
    location /large {{ root {folder}; sendfile on; }}
    location /taken {{ proxy_pass http://127.0.0.1:{sink}; proxy_request_buffering off; proxy_http_version 1.1; }}
}}
"""
_BASE_OUT = """
upstream away {{ server 127.0.0.1:{to}; keepalive 128; }}
server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
        proxy_pass https://away; proxy_http_version 1.1; proxy_set_header Connection "";
        proxy_ssl_certificate {certificate}; proxy_ssl_certificate_key {key};
        proxy_ssl_trusted_certificate {anchor}; proxy_ssl_verify on; proxy_ssl_server_name on;
        proxy_ssl_name {name}; proxy_request_buffering off; proxy_max_temp_file_size 0;
    }}
}}
"""
_BASE_IN = """
upstream service {{ server 127.0.0.1:{to}; keepalive 128; }}
server {{
    listen 127.0.0.1:{port} ssl backlog=4096;
    ssl_certificate {certificate}; ssl_certificate_key {key};
    ssl_client_certificate {anchor}; ssl_verify_client on;
    location / {{
        proxy_pass http://service; proxy_http_version 1.1; proxy_set_header Connection "";
        proxy_request_buffering off; proxy_max_temp_file_size 0;
    }}
}}
"""


class Pair(msgspec.Struct, frozen=True):
    """Two gateways with a service behind them: where a client comes in, what it must send, and their processes."""

    name: str
    port: int
    headers: dict[str, str]
    processes: dict[str, int]
    """What each process tree is called, and the id of its first process."""

    def cpu(self) -> float:
        """Processor time used since the start, seconds: user and system, all processes."""
        return sum(_cpu(pid) for root in self.processes.values() for pid in tree(root))

    def memory(self) -> dict[str, float]:
        """Resident memory of every process, MiB."""
        return {
            f"{name}/{pid}": _resident(pid) for name, root in self.processes.items() for pid in tree(root)
        }


class Load(msgspec.Struct, frozen=True):
    """What came of a round: requests answered with 200, processor seconds of the pair, and seconds passed."""

    requests: int
    cpu: float
    seconds: float

    @property
    def microseconds(self) -> float:
        """Processor time of the pair for one request."""
        return self.cpu / self.requests * 1e6


def need(*programs: str) -> None:
    """End, saying what to install, when a program is not there."""
    packages = {"nginx": "nginx-light", "wrk": "wrk", "taskset": "util-linux", "setpriv": "util-linux"}
    missing = {packages[name] for name in programs if which(name) is None}
    if missing:
        raise SystemExit(f"this measurement needs: {' '.join(sorted(missing))}; as root: apt-get install "
                         f"--no-install-recommends {' '.join(sorted(missing))}")  # fmt: skip


def which(program: str) -> str | None:
    """Where a program is; also where only root's path looks."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def fresh_folder(name: str) -> Path:
    """An empty folder under `var/bench/gateway`."""
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def authority() -> Authority:
    """The test authority of this measurement."""
    return make_authority(fresh_folder("authority"), "Meting")


@contextmanager
def service(large: bool = False) -> Iterator[int]:
    """A service on the load's core: 1 kB at every path; with `large` also a body at /large/body, and one taken at
    /taken. Gives its port."""
    folder, port, sink = fresh_folder("service"), free_port(), free_port()
    if large:
        (folder / "large").mkdir()
        with (folder / "large" / "body").open("wb") as file:
            file.truncate(LARGE)
        open_to_all(folder)
    text = _SERVICE.format(port=port, sink=sink, body="x" * 1024, folder=folder)
    sinking = [sys.executable, str(Path(__file__).with_name("_gateway_sink.py")), str(sink)]
    with (
        nginx(folder, text, LOAD_CORE, port),
        launched("sink", sinking, LOAD_CORE, folder) if large else nullcontext(),
    ):
        yield port


@contextmanager
def bare_pair(issued: Authority, to: int, core: str = PAIR_CORE) -> Iterator[Pair]:
    """Two nginx with mutual TLS between them and nothing else to do."""
    outer, inner = free_port(), free_port()
    files = {}
    for name, peer, host in (("out", ASKER, "outway.vrager.example"), ("in", OWNER, INWAY_HOST)):
        certificate, key = issued.issue(fresh_folder(f"base-{name}"), peer, name, [host])
        files[name] = {"certificate": certificate, "key": key, "anchor": issued.path}
    with (
        nginx(FOLDER / "base-in", _BASE_IN.format(port=inner, to=to, **files["in"]), core, inner) as second,
        nginx(
            FOLDER / "base-out",
            _BASE_OUT.format(port=outer, to=inner, name=INWAY_HOST, **files["out"]),
            core,
            outer,
        ) as first,
    ):  # fmt: skip
        yield Pair("nginx pair", outer, {}, {"nginx out": first, "nginx in": second})


@contextmanager
def nginx(folder: Path, servers: str, core: str, port: int) -> Iterator[int]:
    """An nginx of the measurement's own, one worker; gives its process id."""
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_HEAD.format(master="on", user=user) + servers + "}\n")
    command = [which("nginx") or "nginx", "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
    with launched("nginx", command, core, folder) as process:
        wait_for_port(port, process, folder)
        yield process.pid


@contextmanager
def launched(
    name: str, command: Sequence[str], core: str, folder: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """A program on one core, that ends with this one."""
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            ["setpriv", "--pdeathsig=TERM", "--", "taskset", "-c", core, *command],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1] / "src")},
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=folder,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_port(port: int, process: "subprocess.Popen[bytes]", folder: Path) -> None:
    """Wait until somebody listens."""
    end = time.monotonic() + _READY
    while True:
        try:
            socket.create_connection((HOST, port), 1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > end:
                logs = "\n".join(file.read_text(errors="replace")[-1500:] for file in folder.glob("*.log"))
                raise SystemExit(f"nothing listens on port {port}; logs in {folder}:\n{logs}") from None
            time.sleep(0.05)


def warm(pairs: Iterable[Pair]) -> None:
    """Let a request through each, and wait until nginx has its next configuration, with the other side in it."""
    for pair in pairs:
        asked = urllib.request.Request(f"http://{HOST}:{pair.port}/metingen/1", headers=pair.headers)
        with urllib.request.urlopen(asked) as answer:
            answer.read()
    time.sleep(_SETTLED)


def saturate(pair: Pair, connections: int, seconds: float) -> Load:
    """Load a pair with wrk, each connection asking again as soon as it was answered."""
    headers = [part for name, value in pair.headers.items() for part in ("-H", f"{name}: {value}")]
    before, start = pair.cpu(), time.monotonic()
    done = subprocess.run(
        ["taskset", "-c", LOAD_CORE, "wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", *headers,
         f"http://{HOST}:{pair.port}/metingen/1"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    passed, used = time.monotonic() - start, pair.cpu() - before
    found = re.search(r"(\d+) requests in", done.stdout)
    if found is None or "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        raise SystemExit(f"WRONG: {pair.name}: {done.stdout}{done.stderr}")
    return Load(int(found[1]), used, passed)


def tree(root: int) -> list[int]:
    """A process and all its descendants that are there now."""
    found = [root]
    for pid in found:
        for task in _text(f"/proc/{pid}/task", True).split():
            found += [int(child) for child in _text(f"/proc/{pid}/task/{task}/children").split()]
    return found


def open_to_all(folder: Path) -> None:
    """Let an nginx worker that gave up root read a folder."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def _cpu(pid: int) -> float:
    fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _resident(pid: int) -> float:
    fields = _text(f"/proc/{pid}/statm").split()
    return int(fields[1]) * _PAGE / 2**20 if fields else 0.0


def _text(path: str, folder: bool = False) -> str:
    try:
        return "\n".join(os.listdir(path)) if folder else Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


@contextmanager
def our_pair(issued: Authority, to: int, plane: str, core: str = PAIR_CORE) -> Iterator[Pair]:
    """Outway and inway of Sluis, each a process with all its duties, on one of the two planes."""
    folder, address = fresh_folder(plane), free_port()
    files = {
        side: issued.issue(folder / f"{side}-files", peer, side, [host])
        for side, peer, host in (("outway", ASKER, "outway.vrager.example"), ("inway", OWNER, INWAY_HOST))
    }
    content, grant = _contract(files["outway"][0])
    settings = {
        "folder": str(folder), "anchor": str(issued.path), "content": content, "service": SERVICE, "to": to,
        "address": f"https://{INWAY_HOST}:{address}", "inway_port": address, "outway_port": free_port(),
        "peers": {"outway": str.__str__(ASKER), "inway": str.__str__(OWNER)},
        "files": {side: [str(path) for path in paths] for side, paths in files.items()},
    }  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(settings))
    with (
        _node(folder, "inway", plane, address, core) as inner,
        _node(folder, "outway", plane, settings["outway_port"], core) as outer,
    ):
        yield Pair(
            f"sluis, {plane}",
            settings["outway_port"],
            {"Fsc-Grant-Hash": grant},
            {"outway": outer, "inway": inner},
        )


@contextmanager
def _node(folder: Path, side: str, plane: str, port: int, core: str) -> Iterator[int]:
    (folder / side).mkdir()
    open_to_all(folder / side)
    command = [
        sys.executable,
        str(Path(__file__).with_name("_gateway_node.py")),
        side,
        plane,
        "../settings.json",
    ]
    with launched("node", command, core, folder / side) as process:
        wait_for_port(port, process, folder / side)
        yield process.pid


def _contract(outway: Path) -> tuple[str, str]:
    """A contract that lets the outway connect to the service, and the hash of its grant."""
    now = int(time.time())
    thumbprint = public_key_thumbprint(read_certificates(outway)[0])
    grant = {
        "type": "GRANT_TYPE_SERVICE_CONNECTION",
        "service": {"type": "SERVICE_TYPE_SERVICE", "peer_id": str.__str__(OWNER), "name": SERVICE},
        "outway": {
            "peer_id": str.__str__(ASKER),
            "identification": {
                "type": "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT", "public_key_thumbprint": thumbprint,
            },
        },
    }  # fmt: skip
    content = {
        "fsc_version": "2.0.0", "iv": str(uuid.uuid4()), "group_id": "meting",
        "validity": {"not_before": now - 60, "not_after": now + 86_400},
        "grants": [{"data": grant}], "hash_algorithm": "HASH_ALGORITHM_SHA3_512", "created_at": now,
    }  # fmt: skip
    text = json.dumps(content)
    return text, read_content(text.encode()).grants[0].hash
