"""Debian's own PostgreSQL and MariaDB for measuring: started by an unprivileged user on a free port of this machine,
stopped by process id. Their data stays under `var/bench`, so that a second run starts at once.

Both count, per account, the rows that leave them. Nodes read as `NODE`, what they are compared with as `BASELINE`, so
that the two can take turns and still be told apart.
"""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import pymysql

VAR = Path(__file__).resolve().parent.parent / "var" / "bench"
HOST = "127.0.0.1"
OWNER, NODE, BASELINE = "eigenaar", "node", "baseline"
PASSWORD = "meten"
"""Of the three accounts, on databases that hold invented people and listen on this machine only."""

Databases = TypeVar("Databases")

_PATIENCE = 60.0
"""Seconds that a server gets to start."""
_POSTGRES = Path("/usr/lib/postgresql")


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL server. `counted` and `reset` are about `pg_stat_statements`."""

    port: int
    pid: int

    def url(self, database: str, account: str) -> str:
        """Where an account finds a database."""
        return f"postgresql://{account}:{PASSWORD}@{HOST}:{self.port}/{database}"

    def connect(self, database: str, account: str = OWNER) -> "psycopg.Connection[Any]":
        """A connection of our own."""
        return psycopg.connect(self.url(database, account), autocommit=True)

    def create(self, database: str) -> None:
        """Make an empty database, which `NODE` and `BASELINE` may read; what was there under that name goes."""
        with self.connect("postgres") as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{database}"'.encode())
            connection.execute(f'CREATE DATABASE "{database}"'.encode())
        with self.connect(database) as connection:
            connection.execute(
                f"ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO {NODE}, {BASELINE}".encode()
            )

    def reset(self) -> None:
        """Start counting rows at zero."""
        with self.connect("postgres") as connection:
            connection.execute("SELECT pg_stat_statements_reset()")

    def counted(self, account: str, table: str) -> int:
        """Rows that left in answer to statements of an account in which a table's name stands."""
        with self.connect("postgres") as connection:
            row = connection.execute(
                "SELECT coalesce(sum(s.rows), 0) FROM pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid"
                " WHERE r.rolname = %s AND s.query ILIKE %s",
                (account, f"%{table}%"),
            ).fetchone()
        assert row is not None
        return int(row[0])


@dataclass(frozen=True)
class Mariadb:
    """A running MariaDB server. It keeps no count per statement, only one per account."""

    port: int
    pid: int

    def url(self, database: str, account: str) -> str:
        """Where an account finds a database."""
        return f"mariadb://{account}:{PASSWORD}@{HOST}:{self.port}/{database}"

    def connect(self, database: str | None = None, account: str = OWNER, **options: Any) -> Any:
        """A connection of our own."""
        return pymysql.connect(
            host=HOST,
            port=self.port,
            user=account,
            password=PASSWORD,
            database=database,
            autocommit=True,
            charset="utf8mb4",
            **options,
        )

    def create(self, database: str) -> None:
        """Make an empty database, which `NODE` and `BASELINE` may read; what was there under that name goes."""
        with closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS `{database}`")
            cursor.execute(f"CREATE DATABASE `{database}`")
            for account in (NODE, BASELINE):
                cursor.execute(f"GRANT SELECT ON `{database}`.* TO {account}@'{HOST}'")

    def counted(self, account: str) -> int:
        """Rows that left in answer to an account, since the server started; statements about itself included."""
        with closing(self.connect("information_schema")) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT ROWS_SENT FROM USER_STATISTICS WHERE USER = %s", (account,))
            row = cursor.fetchone()
        return int(row[0]) if row else 0


@contextmanager
def started(
    both: Callable[["Postgres", "Mariadb"], Databases], fill: Callable[[Databases], None], made: Path
) -> Iterator[Databases]:
    """Both servers, started, as `both` makes one thing of them; filled when the file `made` is not there yet."""
    with ExitStack() as stack:
        stack.enter_context(alone(VAR))
        found = both(stack.enter_context(postgres()), stack.enter_context(mariadb()))
        if not made.exists():
            fill(found)
            made.touch()
        yield found


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a folder: two measurements at once would spoil each other, and its data."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another measurement is running; waiting for it to end", file=sys.stderr)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server with its data under `var/bench/postgres`, counting rows per statement."""
    programs = max(_POSTGRES.glob("*/bin"), default=None, key=lambda path: int(path.parent.name))
    if programs is None:
        raise SystemExit("PostgreSQL is not installed; as root: apt-get install postgresql")
    folder, user = VAR / "postgres", _user("postgres")
    data, port = folder / "data", free_port()
    if not (folder / "ready").exists():
        _fresh(folder, user)
        secret = folder / "password"
        secret.write_text(PASSWORD)
        login = [
            f"--username={OWNER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]
        _run([str(programs / "initdb"), "--no-sync", f"--pgdata={data}", *login], folder, user)
    settings = {
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "shared_buffers": "256MB",
        "max_wal_size": "2GB",
        "max_connections": "120",
        "shared_preload_libraries": "pg_stat_statements",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    process = _launch([str(programs / "postgres"), "-D", str(data), *options], folder, user, signal.SIGINT)
    server = Postgres(port, process.pid)
    try:
        _wait(process, folder, lambda: server.connect("postgres").close(), psycopg.OperationalError)
        if not (folder / "ready").exists():
            with server.connect("postgres") as connection:
                connection.execute("CREATE EXTENSION pg_stat_statements")
                for account in (NODE, BASELINE):
                    connection.execute(f"CREATE ROLE {account} LOGIN PASSWORD '{PASSWORD}'".encode())
            (folder / "ready").touch()
        yield server
    finally:
        _stop(process, signal.SIGINT)


@contextmanager
def mariadb() -> Iterator[Mariadb]:
    """A MariaDB server with its data under `var/bench/mariadb`, counting rows per account."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    program, installer = shutil.which("mariadbd", path=path), shutil.which("mariadb-install-db", path=path)
    if program is None or installer is None:
        raise SystemExit("MariaDB is not installed; as root: apt-get install mariadb-server")
    folder, user = VAR / "mariadb", _user("mysql")
    data, port = folder / "data", free_port()
    if not (folder / "ready").exists():
        _fresh(folder, user)
        quiet = ["--skip-test-db", "--auth-root-authentication-method=normal"]
        _run([installer, "--no-defaults", f"--datadir={data}", *quiet], folder, user)
    run = Path("/tmp") / f"sluis-bench-{port}"  # a socket's path must be short
    options = [
        f"--port={port}",
        f"--bind-address={HOST}",
        f"--socket={run}.sock",
        f"--pid-file={run}.pid",
        f"--tmpdir={data}",
        "--innodb-buffer-pool-size=512M",
        "--innodb-log-file-size=512M",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_general_ci",
        "--local-infile=1",
        "--userstat=1",
        "--skip-log-bin",
        "--skip-name-resolve",
        "--max-connections=120",
    ]
    process = _launch([program, "--no-defaults", f"--datadir={data}", *options], folder, user, signal.SIGTERM)
    server = Mariadb(port, process.pid)

    def ready() -> None:
        if (folder / "ready").exists():
            server.connect().close()
            return
        with closing(pymysql.connect(unix_socket=f"{run}.sock", user="root", autocommit=True)) as connection:
            cursor = connection.cursor()
            for account in (OWNER, NODE, BASELINE):
                cursor.execute(f"CREATE USER {account}@'{HOST}' IDENTIFIED BY '{PASSWORD}'")
            cursor.execute(f"GRANT ALL ON *.* TO {OWNER}@'{HOST}' WITH GRANT OPTION")
        (folder / "ready").touch()

    try:
        _wait(process, folder, ready, pymysql.err.OperationalError)
        yield server
    finally:
        _stop(process, signal.SIGTERM)


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _user(name: str) -> list[str]:
    """The words before a command that make it run as an ordinary user; both servers refuse root."""
    if os.geteuid() != 0:
        return []
    known = {line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()}
    chosen = name if name in known else "nobody"
    return [
        "setpriv",
        f"--reuid={chosen}",
        f"--regid={'nogroup' if chosen == 'nobody' else chosen}",
        "--clear-groups",
    ]


def _fresh(folder: Path, user: list[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if user:
        shutil.chown(folder, user[1].partition("=")[2])


def _run(command: list[str], folder: Path, user: list[str]) -> None:
    with (folder / "server.log").open("ab") as log:
        done = subprocess.run([*user, *command], cwd=folder, stdout=log, stderr=log, check=False)
    if done.returncode:
        raise SystemExit(_said(folder))


def _launch(
    command: list[str], folder: Path, user: list[str], end: signal.Signals
) -> "subprocess.Popen[bytes]":
    """Start a server that gets `end` when this script is killed outright; otherwise its data would stay in use."""
    guard = [*(user or ["setpriv"]), "--pdeathsig", end.name.removeprefix("SIG")]
    with (folder / "server.log").open("ab") as log:
        # A session of its own: Ctrl-C reaches the script, which stops the server in its own time.
        return subprocess.Popen(
            [*(guard if shutil.which("setpriv") else user), *command],
            cwd=folder,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait(
    process: "subprocess.Popen[bytes]", folder: Path, ready: Callable[[], None], not_yet: type[Exception]
) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return ready()
        except not_yet:
            if process.poll() is not None or time.monotonic() > end:
                raise SystemExit(_said(folder)) from None
            time.sleep(0.05)


def _stop(process: "subprocess.Popen[bytes]", how: signal.Signals) -> None:
    process.send_signal(how)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _said(folder: Path) -> str:
    log = (folder / "server.log").read_text(errors="replace")
    return f"a database server did not start; the end of {folder / 'server.log'}:\n{log[-2000:]}"
