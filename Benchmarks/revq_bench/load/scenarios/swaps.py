"""Hot swaps under load: nothing fails, latency beside a quiet time, and what swaps leave in memory.

Memory is compared at rest, when the server has given back what it does not need: under load it goes up and down with what is queued.
"""

import asyncio

from ..arrivals import merged, poisson
from ..capacity import capacity
from ..clients import Clients, open_loop
from ..figure import Figure, at_most
from ..outcomes import Outcomes
from ..publication import swap

_LOAD = 0.3
_MOST_RATIO, _MOST_GROWTH_BYTES = 1.25, 5e6
# The swaps after which memory is as it will be: three versions are resident, and freed ones have been reused.
_WARM = 10
_REST_SECONDS = 45


async def run(bench):
    count = max(_WARM + 2, bench.options.swaps // 5) if bench.is_quick else bench.options.swaps
    with bench.scratch_checkpoints() as checkpoints:
        async with bench.server(checkpoints=checkpoints) as server:
            bodies = await bench.bodies(server)
            rates = {name: _LOAD / 2 * (await capacity(bench, server, bodies, name, 3))["served_per_s"] for name in ("encode", "decode")}
            load = Load(server, bodies, rates, bench.seed)
            # Quiet before and after, so that a machine that becomes busier is not taken for swaps.
            quiet = await load.run_for(bench.scaled(25))
            swapping, memory, lost = await _swaps(bench, server, checkpoints, load, _WARM)
            before = await _at_rest(server)
            others, later, also_lost = await _swaps(bench, server, checkpoints, load, count - _WARM)
            after = await _at_rest(server)
            swapping, memory, lost = swapping + others, memory + later, lost + also_lost
            quiet += await load.run_for(bench.scaled(25))
    quiet, swapping = Outcomes(quiet), Outcomes(swapping)
    figures = [
        at_most(f"failed or refused under {count} swaps, of {len(swapping)}", len(swapping) - len(swapping.served), 0, "d"),
        at_most("versions that were never served", lost, 0, "d"),
        at_most("p99 swapping / p99 quiet", swapping.percentile(99) / quiet.percentile(99), _MOST_RATIO),
        Figure("p50, p99 quiet → swapping, ms", " → ".join(f"{some.percentile(50):.1f}, {some.percentile(99):.1f}" for some in (quiet, swapping))),
        at_most(f"growth from swap {_WARM} to {count}, at rest, MB", (after - before) / 1e6, _MOST_GROWTH_BYTES / 1e6, ".1f"),
        Figure("resident at rest then and then, under load at most, MB", f"{before / 1e6:.1f}, {after / 1e6:.1f}, {max(memory) / 1e6:.1f}"),
    ]
    return figures, {"rates": rates, "quiet": quiet.summary(), "swapping": swapping.summary(), "resident_bytes": memory}


class Load:
    def __init__(self, server, bodies, rates, seed):
        self.clients, self.bodies, self.rates, self.seed = Clients(server.port), bodies, rates, seed

    async def run_for(self, seconds):
        self.seed += 1
        arrivals = merged(*(poisson(rate, seconds, self.seed, name) for name, rate in self.rates.items()))
        return await open_loop(self.clients, arrivals, self.bodies.next)


async def _at_rest(server):
    await asyncio.sleep(_REST_SECONDS)
    return server.resident_bytes()


async def _swaps(bench, server, checkpoints, load, count):
    """Outcomes of the load meanwhile, resident bytes after each swap, and how many versions were never served."""
    outcomes, memory, lost = [], [], 0
    is_over = False

    async def keep_loaded():
        while not is_over:
            outcomes.extend(await load.run_for(2))

    loading = asyncio.create_task(keep_loaded())
    for number in range(count):
        lost += await swap(server, checkpoints) is None
        memory.append(server.resident_bytes())
        if number % 50 == 49:
            bench.say(f"{number + 1} swaps, {memory[-1] / 1e6:.1f} MB")
    is_over = True
    await loading
    return outcomes, memory, lost
