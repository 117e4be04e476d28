"""An hour, or --minutes, of everything at once: ordinary requests, hostile bodies, clients that leave, swaps; does memory stay as it is?

Every five minutes the clients rest until the server has given back what it does not need: what is resident then, nothing being in progress, is
what grows where something leaks. While they are at it, resident memory goes up and down with what is queued, more so on a machine that is shared.
"""

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

_LOAD_SECONDS, _REST_SECONDS = 300, 45
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
            is_alive = server.is_running
            peak = server.peak_bytes() if is_alive else 0
    warm = [[sample for sample in samples if sample[0] >= _WARM_SHARE * seconds] for samples in (soak.rests, _floors(soak.memory))]
    (slope, error), (busy, busy_error) = map(_slope, warm)
    figures = [
        at_most(f"growth over the last {(1 - _WARM_SHARE) * seconds / 60:.0f} min, at rest, MB/h", slope / 1e6, _MOST_BYTES_AN_HOUR / 1e6),
        Figure("its standard error, MB/h", f"{error / 1e6:.2f}"),
        Figure("growth of each minute's least, under load, MB/h, and its standard error", f"{busy / 1e6:.2f}, {busy_error / 1e6:.2f}"),
        Figure(
            "resident before, at rest after warm-up, at the end, MB",
            ", ".join(f"{bytes / 1e6:.1f}" for bytes in (soak.fresh, warm[0][0][1], warm[0][-1][1])) if warm[0] else "",
        ),
        Figure("resident at most, MB", f"{peak / 1e6:.1f}"),
        Figure("still running", str(is_alive), "True", is_alive),
        at_most(f"ordinary requests neither served nor refused, of {len(soak.outcomes)}", len(soak.outcomes.failed()), 0, "d"),
        Figure("ordinary requests refused", f"{soak.outcomes.refused_share():.4f}"),
        Figure("hostile bodies, clients that left, swaps", f"{soak.counts['hostile']}, {soak.counts['left']}, {soak.counts['swaps']}"),
    ]
    return figures, {"resident_bytes": soak.memory, "resident_bytes_at_rest": soak.rests, "outcomes": soak.outcomes.summary(), "counts": soak.counts}


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
        self.counts, self.memory, self.rests = collections.Counter(), [], []
        self.rounds = 0
        self.source = random.Random(bench.seed)

    async def prepare(self):
        self.bodies = await self.bench.bodies(self.server)
        self.fresh = self.server.resident_bytes()
        small = (case for case in cases(self.bodies.tokens) if len(case.body) <= _LARGEST_HOSTILE_BYTES)
        # Some of every kind.
        chosen = list(itertools.islice(itertools.islice(small, 0, None, 3), _HOSTILE_CASES))
        self.hostile = itertools.cycle([request("POST", case.path, case.body, case.kind) for case in chosen])

    async def run_for(self, seconds):
        clock = asyncio.get_running_loop().time
        start = clock()
        while (left := start + seconds - clock()) > 0 and self.server.is_running:
            await self._load_for(min(left, _LOAD_SECONDS), start)
            await asyncio.sleep(_REST_SECONDS)
            if not self.server.is_running:
                return
            self.rests.append((clock() - start, self.server.resident_bytes()))
            self.bench.say(f"{self.rests[-1][0] / 60:.0f} min, {self.rests[-1][1] / 1e6:.1f} MB at rest, {len(self.outcomes)} requests")

    async def _load_for(self, seconds, start):
        end = asyncio.get_running_loop().time() + seconds
        others = [asyncio.create_task(task) for task in (self._attack(), self._leave(), self._swap(), self._sample(start))]
        while (left := end - asyncio.get_running_loop().time()) > 0 and self.server.is_running:
            self.rounds += 1
            arrivals = merged(*(poisson(rate, min(10, left), self.bench.seed + self.rounds, name) for name, rate in _RATES.items()))
            self.outcomes += await open_loop(self.clients, arrivals, self.bodies.next)
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _attack(self):
        for message in self.hostile:
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
