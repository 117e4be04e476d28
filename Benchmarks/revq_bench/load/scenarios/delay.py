"""What waiting for a batch costs a single client, and what it gains for sixteen: with the default, no delay, and 2 ms."""

from ..clients import Clients, closed_loop
from ..figure import Figure, at_most

_DELAYS = (None, 0, 2)
_DEPTH, _ROUNDS = 16, 3
# The default beside the better of the others.
_MOST_SINGLE, _MOST_TOGETHER = 1.10, 1.05


async def run(bench):
    found = {delay: {"single_ms": [], "together_per_s": []} for delay in _DELAYS}
    # Turn about, so that a busy moment of the machine touches all alike.
    for _ in range(_ROUNDS):
        for delay in _DELAYS:
            async with bench.server(*([] if delay is None else ["--max-delay-ms", delay])) as server:
                bodies, seconds = await bench.bodies(server), bench.scaled(4, 2)
                clients = Clients(server.port)
                await closed_loop(clients, "encode", bodies.next, _DEPTH, 0.5)
                single = await closed_loop(clients, "encode", bodies.next, 1, seconds)
                together = await closed_loop(clients, "encode", bodies.next, _DEPTH, seconds)
                clients.close()
                found[delay]["single_ms"].append(single.percentile(50))
                found[delay]["together_per_s"].append(len(together.served) / seconds)
    single = {delay: min(values["single_ms"]) for delay, values in found.items()}
    together = {delay: max(values["together_per_s"]) for delay, values in found.items()}
    named = lambda values, form: ", ".join(f"{'default' if delay is None else f'{delay} ms'} {value:{form}}" for delay, value in values.items())
    figures = [
        Figure("encode, one client, p50 ms", named(single, ".2f")),
        Figure(f"encode, {_DEPTH} clients, a second", named(together, ".0f")),
        at_most("default / best, latency of one client", single[None] / min(single.values()), _MOST_SINGLE),
        at_most(f"best / default, rate of {_DEPTH} clients", max(together.values()) / together[None], _MOST_TOGETHER),
    ]
    return figures, {str(delay): values for delay, values in found.items()}
