"""A large body through outway and inway, down and up: how much memory it takes, and how fast it goes.

    python bench/gateway_stream.py [--rounds 3] [--plane both|nginx|inprocess]

Memory is resident memory of every process of the pair, sampled while the body passes, above what it was before.
Speed is held against two nginx with mutual TLS between them, in the same run; it counts for the nginx plane.
"""

import argparse
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import msgspec

from _gateway import ANY_CORE, FOLDER, LARGE, Pair, authority, bare_pair, need, our_pair, service, warm
from _measure import conclude, must, run
from _servers import HOST, alone

GROWTH_MIB, SHARE = 32.0, 0.5
_PIECE = 256 * 1024
_SAMPLE = 0.05  # seconds


class Passage(msgspec.Struct, frozen=True):
    """One body: MiB a second, and by how many MiB the process that grew most grew."""

    speed: float
    growth: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3, help="rounds of each (default 3)")
    parser.add_argument("--plane", choices=("both", "nginx", "inprocess"), default="both")
    chosen = parser.parse_args()
    need("nginx", "taskset", "setpriv")
    planes = ["nginx", "inprocess"] if chosen.plane == "both" else [chosen.plane]
    with ExitStack() as stack:
        stack.enter_context(alone(FOLDER))
        port, issued = stack.enter_context(service(large=True)), authority()
        pairs = {"base": stack.enter_context(bare_pair(issued, port, ANY_CORE))}
        pairs |= {plane: stack.enter_context(our_pair(issued, port, plane, ANY_CORE)) for plane in planes}
        warm(pairs.values())
        found = _rounds(pairs, chosen.rounds)
    growth = {plane: max(one.growth for way in found[plane].values() for one in way) for plane in planes}
    share = {
        plane: min(_speed(found[plane][way]) / _speed(found["base"][way]) for way in ("down", "up"))
        for plane in planes
    }
    for plane in planes:
        print(f"{plane}: grows {growth[plane]:.1f} MiB, {share[plane]:.2f} of the speed of nginx")
    first = planes[0]
    conclude(
        "gateway_stream",
        max(growth.values()),
        "MiB grown",
        max(growth.values()) < GROWTH_MIB and share.get("nginx", 1.0) >= SHARE,
        speed_share=share[first],
        mib_per_second=min(_speed(found[first][way]) for way in ("down", "up")),
        **({"in_process_speed_share": share["inprocess"]} if len(planes) > 1 else {}),
    )


def _rounds(pairs: dict[str, Pair], rounds: int) -> dict[str, dict[str, list[Passage]]]:
    found: dict[str, dict[str, list[Passage]]] = {name: {"down": [], "up": []} for name in pairs}
    for _ in range(rounds):
        for way, take in (("down", _download), ("up", _upload)):
            for name, pair in pairs.items():
                with _watched(pair) as grown:
                    start = time.perf_counter()
                    take(pair)
                    seconds = time.perf_counter() - start
                passage = Passage(LARGE / 2**20 / seconds, max(grown))
                found[name][way].append(passage)
                print(
                    f"  {pair.name:<18} {way:<5} {passage.speed:8.0f} MiB/s {passage.growth:6.1f} MiB grown",
                    flush=True,
                )
    return found


def _speed(passages: list[Passage]) -> float:
    return statistics.median(one.speed for one in passages)


@contextmanager
def _watched(pair: Pair) -> Iterator[list[float]]:
    """By how much each process grew, at most, while the block ran; the list is filled when it ends."""
    before, most, ended = pair.memory(), dict[str, float](), threading.Event()

    def watch() -> None:
        while not ended.wait(_SAMPLE):
            for name, size in pair.memory().items():
                most[name] = max(size, most.get(name, 0.0))

    grown: list[float] = []
    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield grown
    finally:
        ended.set()
        thread.join()
    grown += [size - before.get(name, size) for name, size in most.items()] or [0.0]


def _head(pair: Pair, line: str, *more: str) -> bytes:
    lines = [line, f"Host: {HOST}:{pair.port}", "Connection: close", *more]
    return (
        "\r\n".join([*lines, *(f"{name}: {value}" for name, value in pair.headers.items())]).encode()
        + b"\r\n\r\n"
    )


def _download(pair: Pair) -> None:
    with socket.create_connection((HOST, pair.port)) as connection:
        connection.sendall(_head(pair, "GET /large/body HTTP/1.1"))
        buffer, got, head = bytearray(_PIECE), 0, b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(4096)
        must(head.startswith(b"HTTP/1.1 200 "), f"answered {head[:200]!r}")
        got = len(head.partition(b"\r\n\r\n")[2])
        while size := connection.recv_into(buffer):
            got += size
    must(got == LARGE, f"{got} bytes came, of {LARGE}")


def _upload(pair: Pair) -> None:
    with socket.create_connection((HOST, pair.port)) as connection:
        connection.sendall(_head(pair, "PUT /taken HTTP/1.1", f"Content-Length: {LARGE}"))
        piece = bytes(_PIECE)
        for _ in range(LARGE // _PIECE):
            connection.sendall(piece)
        answer = connection.recv(4096)
    must(answer.startswith(b"HTTP/1.1 200 "), f"answered {answer[:200]!r}")


if __name__ == "__main__":
    run(main)
