"""nginx as this machine knows it: where the program is, its processes and how they end, its sockets, and what it says."""

import asyncio
import contextlib
import logging
import os
import pwd
import re
import shutil
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from sluis.gateway.planes.nginx_problems import not_installed

log = logging.getLogger("sluis.gateway")

PROGRAM = "nginx"
_WHERE = ":/usr/sbin:/sbin:/usr/local/sbin"
_GRACE = 10.0  # seconds that requests in hand get when the node stops
_ABOUT_A_REQUEST = re.compile(r"(: \".*|,? (client|while [a-z ]+, client): .*)")
"""What was quoted of a request or an answer, and whose it was."""
PREFIX = re.compile(r"^\S+ \S+ \[(\w+)\] \S+ (\*\d+ )?")


def found(program: str) -> str | None:
    """Where a program is; also where only root's path looks, as Debian keeps nginx there."""
    return shutil.which(program, path=os.environ.get("PATH", "") + _WHERE)


def check_nginx() -> None:
    """Raises `Invalid` (`no-nginx`) when nginx is not installed."""
    if found(PROGRAM) is None:
        raise not_installed()


async def end(process: asyncio.subprocess.Process) -> None:
    """Ask it to finish, then make it; its group is its own, so that nothing of it stays."""
    for how, seconds in ((signal.SIGQUIT, _GRACE), (signal.SIGTERM, 2.0)):
        if process.returncode is None:
            await _signalled(process, how, seconds)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


async def _signalled(process: asyncio.subprocess.Process, how: signal.Signals, seconds: float) -> None:
    with contextlib.suppress(ProcessLookupError, TimeoutError):
        process.send_signal(how)
        await asyncio.wait_for(process.wait(), seconds)


def workers_of(master: int) -> list[int]:
    """The process ids of the workers that a master has."""
    try:
        return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]
    except OSError:
        return []


def takes_more(worker: int) -> bool:
    """Whether a worker still takes connections; when it does not, its title says that it is shutting down."""
    try:
        title = Path(f"/proc/{worker}/cmdline").read_bytes()
    except OSError:
        return False
    return bool(title) and b"shutting down" not in title


class Said:
    """The last grave thing that nginx said."""

    last = ""


async def tell(pipe: int, kept: Said) -> None:
    """Pass on what nginx says, without the request or the client that it was about."""
    loop, said = asyncio.get_running_loop(), asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(said), os.fdopen(pipe, "rb", 0)
    )
    try:
        async for line in said:
            text = line.decode(errors="replace").rstrip()
            level = PREFIX.match(text)
            words = PREFIX.sub("", text)
            if level is not None and level[2]:
                words = _ABOUT_A_REQUEST.sub("", words)
            grave = level is not None and level[1] in {"emerg", "alert", "crit"}
            if grave and not words.startswith("still could not"):  # which says less than what it said before
                kept.last = words
            log.log(logging.ERROR if grave else logging.WARNING, "nginx: %s", words)
    finally:
        transport.close()


def link(link: Path, to: Path) -> None:
    """Let one path stand for another file, whatever it stood for before."""
    if link.is_symlink() and link.readlink() == to.absolute():
        return
    link.unlink(missing_ok=True)
    link.symlink_to(to.absolute())


@contextlib.contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Another path of a socket, short enough for unix(7), which has room for 108 bytes."""
    opened = os.open(path.parent, os.O_PATH)
    try:
        yield f"/proc/self/fd/{opened}/{path.name}"
    finally:
        os.close(opened)


def workers_user() -> str | None:
    """Whom the workers run as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    names = {one.pw_name for one in pwd.getpwall()}
    return "www-data" if "www-data" in names else "nobody"


def end_leftover(folder: Path) -> None:
    """End an nginx that outlived an earlier run: it would hold the ports. It is known by the folder it works in."""
    try:
        pid = int((folder / "nginx.pid").read_text())
        if Path(f"/proc/{pid}/cwd").resolve() != folder or not stat.S_ISDIR(os.stat(f"/proc/{pid}").st_mode):
            return
        os.kill(pid, signal.SIGTERM)
        for _ in range(100):  # a second: it closes its ports at once, and then ends
            os.kill(pid, 0)
            time.sleep(0.01)
    except (OSError, ValueError):
        return
