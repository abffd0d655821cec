"""What a gateway costs: processor time for one request through outway and inway, against two nginx with mutual TLS.

    python bench/gateway.py [--rounds 9] [--seconds 2] [--connections 32] [--plane both|nginx|inprocess]

Ours: an outway and an inway, mutual TLS between them, a token bound to the certificate, the state of the contract
asked at every request, and a durable line in the transaction log of both before the request passes on. Against: two
nginx, one behind the other with mutual TLS between them, and no duties. The service answers 1 kB. At saturation: 32
connections, each asking again as soon as it was answered. Counted is the processor time (user and system) of all
processes of a pair. Rounds alternate; of the ratios of the rounds the median counts.
"""

import argparse
import statistics
from contextlib import ExitStack

from _gateway import FOLDER, Pair, authority, bare_pair, need, our_pair, saturate, service, warm
from _measure import conclude, run
from _servers import alone

COST_RATIO = {"nginx": 4.0, "inprocess": 12.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9, help="rounds of each (default 9)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of one round (default 2)")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--plane", choices=("both", *COST_RATIO), default="both")
    chosen = parser.parse_args()
    need("nginx", "wrk", "taskset", "setpriv")
    planes = list(COST_RATIO) if chosen.plane == "both" else [chosen.plane]
    with ExitStack() as stack:
        stack.enter_context(alone(FOLDER))
        port, issued = stack.enter_context(service()), authority()
        base = stack.enter_context(bare_pair(issued, port))
        ours = {plane: stack.enter_context(our_pair(issued, port, plane)) for plane in planes}
        warm([base, *ours.values()])
        costs = _rounds(base, ours, chosen.rounds, chosen.seconds, chosen.connections)
    ratios = {
        plane: statistics.median(
            one / against for one, against in zip(costs[plane], costs["base"], strict=True)
        )
        for plane in planes
    }
    print(f"µs per request, nginx pair:      {_told(costs['base'])}")
    for plane in planes:
        print(f"µs per request, ours, {plane:<10} {_told(costs[plane])}")
        each = [one / against for one, against in zip(costs[plane], costs["base"], strict=True)]
        print(f"  times the nginx pair:          {_told(each)}")
    named = {"nginx": "cost_ratio", "inprocess": "in_process_cost_ratio"}
    conclude(
        "gateway",
        statistics.median(costs[planes[0]]),
        "µs/request",
        all(ratios[plane] <= COST_RATIO[plane] for plane in planes),
        against=statistics.median(costs["base"]),
        **{named[plane]: ratio for plane, ratio in ratios.items()},
    )


def _rounds(
    base: Pair, ours: dict[str, Pair], rounds: int, seconds: float, connections: int
) -> dict[str, list[float]]:
    """Microseconds for a request, round by round."""
    costs: dict[str, list[float]] = {"base": [], **{plane: [] for plane in ours}}
    for _ in range(rounds):
        for name, pair in {"base": base, **ours}.items():
            load = saturate(pair, connections, seconds)
            costs[name].append(load.microseconds)
            print(
                f"  {pair.name:<18} {load.requests / load.seconds:8.0f}/s {load.microseconds:8.1f} µs",
                flush=True,
            )
    return costs


def _told(values: list[float]) -> str:
    return f"median {statistics.median(values):7.2f}   of " + " ".join(f"{value:.2f}" for value in values)


if __name__ == "__main__":
    run(main)
