"""An hour, or --minutes, of everything at once: ordinary requests, hostile bodies, clients that leave, swaps; does memory stay as it is?"""

import asyncio
import collections
import itertools
import math
import random
import statistics

from ..arrivals import merged, poisson
from ..clients import Clients, open_loop
from ..figure import Figure, at_most
from ..hostile.corpus import cases
from ..outcomes import Outcomes
from ..publication import swap
from ..wire import Connection, request

_RATES = {"encode": 10, "decode": 3}
_HOSTILE_RATE, _LEAVING_RATE, _SWAP_SECONDS, _SAMPLE_SECONDS = 0.5, 3, 15, 10
# Larger ones would be kept in this client's memory; `hostile` has them.
_LARGEST_HOSTILE_BYTES, _HOSTILE_CASES = 4 << 20, 60
_WARM_SHARE, _MOST_BYTES_AN_HOUR = 0.25, 1e6


async def run(bench):
    seconds = bench.options.minutes * 60
    with bench.scratch_checkpoints() as checkpoints:
        async with bench.server(checkpoints=checkpoints) as server:
            soak = Soak(bench, server, checkpoints)
            await soak.prepare()
            await soak.run_for(seconds)
            await asyncio.sleep(_SAMPLE_SECONDS)
            is_alive = server.is_running
            peak, idle = (server.peak_bytes(), server.resident_bytes()) if is_alive else (0, 0)
    floors = _floors([sample for sample in soak.memory if sample[0] >= _WARM_SHARE * seconds])
    slope, error = _slope(floors)
    figures = [
        at_most(f"growth over the last {(1 - _WARM_SHARE) * seconds / 60:.0f} min, MB/h", slope / 1e6, _MOST_BYTES_AN_HOUR / 1e6),
        Figure("its standard error, MB/h", f"{error / 1e6:.2f}"),
        Figure(
            "resident before, after warm-up, at the end, MB", ", ".join(f"{bytes / 1e6:.1f}" for bytes in (soak.fresh, floors[0][1], floors[-1][1]))
        ),
        Figure("resident at most, ten seconds after the end, MB", f"{peak / 1e6:.1f}, {idle / 1e6:.1f}"),
        Figure("still running", str(is_alive), "True", is_alive),
        at_most(f"ordinary requests neither served nor refused, of {len(soak.outcomes)}", len(soak.outcomes.failed()), 0, "d"),
        Figure("ordinary requests refused", f"{soak.outcomes.refused_share():.4f}"),
        Figure("hostile bodies, clients that left, swaps", f"{soak.counts['hostile']}, {soak.counts['left']}, {soak.counts['swaps']}"),
    ]
    return figures, {"resident_bytes": soak.memory, "outcomes": soak.outcomes.summary(), "counts": soak.counts}


def _floors(samples):
    """The least of every minute: what requests in progress hold comes and goes, and would hide a leak."""
    minutes = itertools.groupby(samples, key=lambda sample: int(sample[0] / 60))
    return [min(group, key=lambda sample: sample[1]) for _, group in minutes]


def _slope(samples):
    """Of a line by least squares through pairs of seconds and bytes: bytes an hour, and its standard error."""
    if len(samples) < 3:
        return float("nan"), float("nan")
    times, sizes = zip(*samples, strict=True)
    line = statistics.linear_regression(times, sizes)
    left = sum((size - line.slope * time - line.intercept) ** 2 for time, size in samples)
    spread = sum((time - statistics.fmean(times)) ** 2 for time in times)
    return 3600 * line.slope, 3600 * math.sqrt(left / (len(samples) - 2) / spread)


class Soak:
    def __init__(self, bench, server, checkpoints):
        self.bench, self.server, self.checkpoints = bench, server, checkpoints
        self.clients, self.outcomes = Clients(server.port), Outcomes()
        self.counts, self.memory = collections.Counter(), []
        self.source = random.Random(bench.seed)

    async def prepare(self):
        self.bodies = await self.bench.bodies(self.server)
        self.fresh = self.server.resident_bytes()
        small = (case for case in cases(self.bodies.tokens) if len(case.body) <= _LARGEST_HOSTILE_BYTES)
        # Some of every kind.
        chosen = list(itertools.islice(itertools.islice(small, 0, None, 3), _HOSTILE_CASES))
        self.hostile = [request("POST", case.path, case.body, case.kind) for case in chosen]

    async def run_for(self, seconds):
        start = asyncio.get_running_loop().time()
        others = [asyncio.create_task(task) for task in (self._attack(), self._leave(), self._swap(), self._sample(start))]
        seed = self.bench.seed
        while (left := start + seconds - asyncio.get_running_loop().time()) > 0 and self.server.is_running:
            seed += 1
            arrivals = merged(*(poisson(rate, min(10, left), seed, name) for name, rate in _RATES.items()))
            self.outcomes += await open_loop(self.clients, arrivals, self.bodies.next)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _attack(self):
        for message in itertools.cycle(self.hostile):
            await asyncio.sleep(self.source.expovariate(_HOSTILE_RATE))
            self.counts["hostile"] += 1
            outcome = await Clients(self.server.port).outcome("hostile", message, 0)
            self.counts[f"hostile: {outcome.reason}"] += 1

    async def _leave(self):
        while True:
            await asyncio.sleep(self.source.expovariate(_LEAVING_RATE))
            connection = await Connection.open(self.server.port)
            connection.ask(self.bodies.next(self.source.choice(["encode", "decode"]))).add_done_callback(lambda answer: answer.exception())
            await asyncio.sleep(self.source.uniform(0, 0.03))
            connection.close()
            self.counts["left"] += 1

    async def _swap(self):
        while True:
            await asyncio.sleep(_SWAP_SECONDS)
            self.counts["swaps" if await swap(self.server, self.checkpoints) else "swaps that did not come"] += 1

    async def _sample(self, start):
        while True:
            await asyncio.sleep(_SAMPLE_SECONDS)
            at = asyncio.get_running_loop().time() - start
            self.memory.append((at, self.server.resident_bytes()))
            if len(self.memory) % 30 == 0:
                self.bench.say(f"{at / 60:.0f} min, {self.memory[-1][1] / 1e6:.1f} MB, {len(self.outcomes)} requests")
