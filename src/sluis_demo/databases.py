"""The seven databases: SQLite files, or databases on a PostgreSQL or MariaDB server that the demo starts itself.

A server runs from Debian's own package, as an unprivileged user, on a free port of this machine, with its files in a
folder of its own; it is stopped by its process id. Nodes read with an account that can only read. Drivers are loaded
when a server is used, so that a demo on SQLite starts sooner.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sluis.kernel import Text, Upstream
from sluis_demo.registers import Table

if TYPE_CHECKING:
    import pymysql

KINDS = ("sqlite", "postgres", "mariadb")
READER = "sluis_lezer"
LOG = "uitvoer.log"
PATIENCE = 60.0
"""Seconds that a server gets to start."""


class Server(msgspec.Struct):
    """A database server of this demo. `owner` makes and fills databases; `READER` can only read them."""

    kind: str
    folder: Path
    port: int
    password: str
    process: "subprocess.Popen[bytes]"

    def url(self, database: str) -> str:
        """Where a node finds a database, with the account that can only read."""
        scheme = "postgresql" if self.kind == "postgres" else "mysql"
        return f"{scheme}://{READER}:{self.password}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Stop the server without waiting for its clients (for PostgreSQL that is SIGINT); remove its files."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT if self.kind == "postgres" else signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def start_server(kind: str) -> Server:
    """Start Debian's own PostgreSQL or MariaDB with empty data, in a folder of its own that any user can reach.

    Raises: Upstream when the package is not installed or the server does not come up.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"sluis-demo-{kind}-"))
    user = _unprivileged()
    if user is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    start = {"postgres": _start_postgres, "mariadb": _start_mariadb}[kind]
    return start(folder, _free_port(), secrets.token_hex(16), user)


def fill(kind: str, target: "Path | Server", database: str, tables: list[Table]) -> str:
    """Make a database with these tables and give the URL for a node.

    Args:
        kind: one of `KINDS`.
        target: the file for SQLite, the server otherwise.
        database: its name on the server.
        tables: what to put in it.
    """
    if isinstance(target, Path):
        _fill_sqlite(target, tables)
        return f"sqlite:///{target}"
    {"postgres": _fill_postgres, "mariadb": _fill_mariadb}[kind](target, database, tables)
    return target.url(database)


def _fill_sqlite(path: Path, tables: list[Table]) -> None:
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN")
        for table in tables:
            for statement in _definition(table, str):
                connection.execute(statement)
            marks = ", ".join("?" * len(table.columns))
            connection.executemany(f'INSERT INTO "{table.name}" VALUES ({marks})', table.rows)
        connection.execute("COMMIT")
        connection.execute("PRAGMA optimize = 0x10002")


def _fill_postgres(server: Server, database: str, tables: list[Table]) -> None:
    import psycopg

    place = f"host=127.0.0.1 port={server.port} user=sluis_eigenaar password={server.password}"
    with psycopg.connect(f"{place} dbname=postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{database}"'.encode())
    types = {"DOUBLE": "DOUBLE PRECISION"}
    with psycopg.connect(f"{place} dbname={database}") as connection, connection.cursor() as cursor:
        for table in tables:
            for statement in _definition(table, lambda kind: types.get(kind, kind)):
                cursor.execute(statement.encode())
            with cursor.copy(f'COPY "{table.name}" FROM STDIN'.encode()) as copy:
                for row in table.rows:
                    copy.write_row(row)
        cursor.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}".encode())
        cursor.execute("ANALYZE")


def _fill_mariadb(server: Server, database: str, tables: list[Table]) -> None:
    with _mariadb(server) as cursor:
        cursor.execute(f"CREATE DATABASE `{database}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
        cursor.execute(f"USE `{database}`")
        for table in tables:
            for statement in _definition(table, lambda kind: {"VARCHAR": "VARCHAR(255)"}.get(kind, kind)):
                cursor.execute(statement)
            marks = ", ".join(["%s"] * len(table.columns))
            cursor.executemany(f'INSERT INTO "{table.name}" VALUES ({marks})', table.rows)
        cursor.execute(f"GRANT SELECT ON `{database}`.* TO {READER}@'127.0.0.1'")


def _definition(table: Table, native: Callable[[str], str]) -> Iterator[str]:
    columns = ", ".join(f'"{name}" {native(kind)}' for name, kind in table.columns)
    yield f'CREATE TABLE "{table.name}" ({columns})'
    for key in table.keys:
        yield f'CREATE INDEX "{table.name}_{key}" ON "{table.name}" ("{key}")'


@contextmanager
def _mariadb(server: Server) -> "Iterator[pymysql.cursors.Cursor]":
    import pymysql

    connection = pymysql.connect(
        unix_socket=str(server.folder / "s"),
        user="root",
        autocommit=True,
        charset="utf8mb4",
        sql_mode="ANSI_QUOTES",
    )
    with closing(connection), connection.cursor() as cursor:
        yield cursor


def _start_postgres(folder: Path, port: int, password: str, user: pwd.struct_passwd | None) -> Server:
    import psycopg

    programs = max(
        Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda path: int(path.parent.name)
    )
    if programs is None:
        raise _missing("PostgreSQL", "postgresql")
    data, secret = folder / "data", folder / "wachtwoord"
    secret.write_text(password)
    secret.chmod(0o600)
    if user is not None:
        os.chown(secret, user.pw_uid, user.pw_gid)
    login = [
        "--username=sluis_eigenaar",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]
    _run([str(programs / "initdb"), "--no-sync", "--pgdata", str(data), *login], folder, user)
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": str(port),
        "unix_socket_directories": "",
        "fsync": "off",
        "shared_buffers": "32MB",
        "max_connections": "60",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    process = _launch([str(programs / "postgres"), "-D", str(data), *options], folder, user)
    server = Server("postgres", folder, port, password, process)

    def ready() -> None:
        place = f"host=127.0.0.1 port={port} user=sluis_eigenaar password={password} dbname=postgres"
        with psycopg.connect(place, autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {READER} LOGIN PASSWORD '{password}'".encode())

    return _when_ready(server, ready, psycopg.OperationalError)


def _start_mariadb(folder: Path, port: int, password: str, user: pwd.struct_passwd | None) -> Server:
    import pymysql

    program, installer = shutil.which("mariadbd", path=_PATH), shutil.which("mariadb-install-db", path=_PATH)
    if program is None or installer is None:
        raise _missing("MariaDB", "mariadb-server")
    data = f"--datadir={folder / 'data'}"
    quiet = ["--skip-test-db", "--auth-root-authentication-method=normal"]
    _run([installer, "--no-defaults", data, *quiet], folder, user)
    options = [
        f"--port={port}",
        "--bind-address=127.0.0.1",
        f"--socket={folder / 's'}",
        f"--pid-file={folder / 'pid'}",
        "--innodb-buffer-pool-size=32M",
        "--innodb-flush-log-at-trx-commit=0",
        "--skip-log-bin",
        "--skip-name-resolve",
    ]
    process = _launch([program, "--no-defaults", data, *options], folder, user)
    server = Server("mariadb", folder, port, password, process)

    def ready() -> None:
        with _mariadb(server) as cursor:
            cursor.execute(f"CREATE USER {READER}@'127.0.0.1' IDENTIFIED BY '{password}'")

    return _when_ready(server, ready, pymysql.err.OperationalError)


def _when_ready(server: Server, ready: Callable[[], None], not_yet: type[Exception]) -> Server:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            ready()
            return server
        except not_yet:
            if server.process.poll() is not None or time.monotonic() > deadline:
                problem = _silent(server.folder)
                server.stop()
                raise problem from None
            time.sleep(0.1)


_PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"


def _unprivileged() -> pwd.struct_passwd | None:
    """The account for servers when this process is root; None when it is an ordinary user already."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def _run(command: list[str], folder: Path, user: pwd.struct_passwd | None) -> None:
    with (folder / LOG).open("ab") as log:
        done = subprocess.run([*_as(user), *command], cwd=folder, stdout=log, stderr=log, check=False)  # noqa: S603
    if done.returncode:
        raise _silent(folder)


def _launch(command: list[str], folder: Path, user: pwd.struct_passwd | None) -> "subprocess.Popen[bytes]":
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - Debian's own programs, arguments made here
            [*_as(user), *command], cwd=folder, stdout=log, stderr=log, start_new_session=True
        )


def _as(user: pwd.struct_passwd | None) -> list[str]:
    """The words before a command that make it run as `user`, in the same process."""
    if user is None:
        return []
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _missing(name: str, package: str) -> Upstream:
    return Upstream(
        "database-server-missing",
        Text(f"{name} staat niet op deze machine.", f"{name} is not on this machine."),
        Text(f"Het pakket `{package}` is niet gevonden.", f"The package `{package}` was not found."),
        Text(
            f"Installeer het met `apt install {package}`, of laat `--databases` weg.",
            f"Install it with `apt install {package}`, or leave `--databases` out.",
        ),
    )


def _silent(folder: Path) -> Upstream:
    lines = (folder / LOG).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    last = lines[-1] if lines else "-"
    return Upstream(
        "database-server-failed",
        Text("De databaseserver start niet.", "The database server does not start."),
        Text(f"Zijn laatste regel: {last}", f"Its last line: {last}"),
        Text("Los dat op, of laat `--databases` weg.", "Solve that, or leave `--databases` out."),
    )
