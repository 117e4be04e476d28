"""A canary that is worse than what is served: how soon it is rolled back under load, and what clients notice of it, which should be nothing.

The worse version is made of the one that is served: the same autoencoder, with a codebook of 64 codes fitted to ten pictures. It needs `revq-train`
beside the server's executable.
"""

import asyncio
import json
import pathlib
import subprocess
import tempfile

from ..arrivals import merged, poisson
from ..bodies import PHOTOGRAPHS
from ..clients import Clients, open_loop
from ..figure import Figure, at_most
from ..outcomes import Outcomes
from ..server import newest_version

_RATES = {"encode": 20, "decode": 4}
_SHARE, _MOST_SECONDS = 50, 60
_ENDS = 'revq_canary_trials_total{end="%s"}'


async def run(bench):
    with bench.scratch_checkpoints() as checkpoints, tempfile.TemporaryDirectory() as work:
        prepared = await asyncio.to_thread(_fit, bench, checkpoints, pathlib.Path(work))
        async with bench.server("--canary", _SHARE, "--canary-pictures", 10_000, checkpoints=checkpoints) as server:
            load = Load(server, await bench.bodies(server), bench.seed)
            await load.prepare()
            quiet = await load.run_for(bench.scaled(20))
            loading = asyncio.create_task(load.run_until_told())
            began = asyncio.get_running_loop().time()
            await asyncio.to_thread(_publish, bench, checkpoints, *prepared)
            published = asyncio.get_running_loop().time()
            seconds, counters = await _rollback(server, published)
            load.is_over = True
            trying = await loading
            served = json.loads((await server.get("/models")).body)["models"][0]["versions"][0]["version"]
    pictures, agreement, difference = (
        next((value for name, value in counters.items() if name.startswith(f"revq_canary_{figure}")), float("nan"))
        for figure in ("pictures", "token_agreement_ratio", "psnr_difference_decibels")
    )
    figures = [
        at_most("from its publication to its rollback, s", seconds, _MOST_SECONDS, ".1f"),
        Figure("pictures compared, tokens that agree, dB to the stable version", f"{pictures:.0f}, {agreement:.3f}, {difference:.2f}"),
        at_most(f"requests not served, of {len(trying)}", len(trying) - len(trying.served), 0, "d"),
        at_most("answers that differ from the stable version's", load.wrong, 0, "d"),
        Figure("version served afterwards", str(served), "the one before", served == int(newest_version(bench.checkpoints).name)),
        Figure(
            "p50, p99 quiet → publishing and trying, ms",
            " → ".join(f"{some.percentile(50):.1f}, {some.percentile(99):.1f}" for some in (quiet, trying)),
        ),
    ]
    details = {"quiet": quiet.summary(), "trying": trying.summary(), "publishing_s": published - began}
    return figures, details


class Load:
    """Ordinary requests, whose every answer has to be what the stable version gave before."""

    def __init__(self, server, bodies, seed):
        self.server, self.bodies, self.seed = server, bodies, seed
        self.expected, self.wrong, self.is_over = {}, 0, False

    async def prepare(self):
        for messages in self.bodies.requests.values():
            for message in messages:
                self.expected[message] = (await self.server.ask(message)).body
        self.clients = CheckedClients(self.server.port, self)

    async def run_for(self, seconds):
        self.seed += 1
        arrivals = merged(*(poisson(rate, seconds, self.seed, name) for name, rate in _RATES.items()))
        return Outcomes(await open_loop(self.clients, arrivals, self.bodies.next))

    async def run_until_told(self):
        outcomes = Outcomes()
        while not self.is_over:
            outcomes.extend(await self.run_for(2))
        return outcomes


class CheckedClients(Clients):
    def __init__(self, port, load):
        super().__init__(port)
        self.load = load

    async def ask(self, message):
        answer = await super().ask(message)
        self.load.wrong += answer.status == 200 and answer.body != self.load.expected[message]
        return answer


async def _rollback(server, published):
    """Seconds until there is one, or nan; and the counters then."""
    clock = asyncio.get_running_loop().time
    while clock() - published < 3 * _MOST_SECONDS:
        counters = await server.counters()
        if counters.get(_ENDS % "rolled_back", 0) >= 1:
            return clock() - published, counters
        await asyncio.sleep(0.1)
    return float("nan"), await server.counters()


def _fit(bench, checkpoints, work):
    """The folders of the served autoencoder and of a quantiser for it that is worse."""
    manifest = json.loads((newest_version(checkpoints) / "manifest.json").read_text())
    vae = checkpoints / "default" / f"vae-{manifest['vae']['weights']['sha256'][:12]}"
    _train(bench, "extract", "--images", PHOTOGRAPHS, "--vae", vae, "--output", work / "latents", "--crops", 4, "--split", "40/20/40")
    _train(
        bench, "fit", "--latents", work / "latents", "--vae", vae, "--output", work / "fit", "--method", "lloyd", "--tokens", 512, "--codes", 64,
        "--grouping", "klt-2", "--codebooks", "one", "--passes", 3,
    )  # fmt: skip
    return vae, work / "fit" / "fit"


def _publish(bench, checkpoints, vae, fit):
    _train(bench, "publish", "--vae", vae, "--fit", fit, "--images", PHOTOGRAPHS, "--name", "default", "--checkpoints", checkpoints)


def _train(bench, *words):
    executable = pathlib.Path(bench.executable).with_name("revq-train")
    done = subprocess.run([str(word) for word in (executable, *words)], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"revq-train {words[0]}: {done.stderr.strip()[-500:]}")
