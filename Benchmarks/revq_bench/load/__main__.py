"""python -m revq_bench.load [SCENARIO ...] [--quick] [...]: starts the server, loads and attacks it, prints one table, and writes it with all
figures under .bench/results. Arrivals are open-loop, and latency counts from the moment a request was meant to be sent. Ends with status 1
where something that is wanted does not hold.
"""

import argparse
import asyncio
import datetime
import gc
import importlib
import json
import pathlib
import resource
import sys

from .. import ROOT
from . import report
from .bench import Bench
from .figure import Figure
from .scenarios import NAMES
from .server import ServerFailed
from .usage import Surroundings


def parse():
    parser = argparse.ArgumentParser(prog="revq_bench.load", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"all of them, or some of {', '.join(NAMES)}")
    parser.add_argument("--quick", action="store_true", help="a fifth of the time, for a first look")
    parser.add_argument("--executable", type=pathlib.Path, default=ROOT / ".build/release/revq-server")
    parser.add_argument("--core", type=pathlib.Path, default=ROOT / ".build/release/revq-bench", help="what measures the core alone")
    parser.add_argument("--checkpoints", type=pathlib.Path, default=ROOT / "checkpoints")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / ".bench", help="where results are kept")
    parser.add_argument("--flags", type=str.split, default=[], help="further flags of the server, in one word: --flags='--max-queue 128'")
    parser.add_argument("--seed", type=int, default=1, help="of the arrivals")
    parser.add_argument("--minutes", type=float, default=60, help="of the soak")
    parser.add_argument("--swaps", type=int, default=50, help="hot swaps in `swaps`; 1000 shows what each leaves behind")
    parser.add_argument("--only", default="", help="the hostile bodies whose names contain this")
    options = parser.parse_args()
    unknown = set(options.scenarios) - set(NAMES)
    if unknown:
        parser.error(f"no such scenario: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    return options


async def measure(name, bench):
    scenario = importlib.import_module(f".scenarios.{name}", __package__)
    print(f"{name}: {scenario.__doc__.splitlines()[0]}", file=sys.stderr, flush=True)
    around = Surroundings()
    try:
        figures, details = await scenario.run(bench)
    except (ServerFailed, OSError, TimeoutError) as error:
        # The others are still worth measuring.
        figures, details = [Figure("did not finish", f"{type(error).__name__}: {error}", "", False)], {}
    return {"scenario": name, "figures": figures, "details": details, **around.so_far()}


def main():
    options = parse()
    results = options.folder / "results"
    results.mkdir(parents=True, exist_ok=True)
    started = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    # Thousands of connections; and no pause of this client should look like one of the server.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    gc.freeze()
    bench, found = Bench(options), []
    for name in options.scenarios or [name for name in NAMES if name != "soak"]:
        found.append(asyncio.run(measure(name, bench)))
        # Written after every scenario, so that an interrupted run leaves what it had.
        (results / f"load-{started}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False))
        (results / f"load-{started}.md").write_text(report.table(found))
    print(report.table(found))
    print(f"written to {results}/load-{started}.md and .json", file=sys.stderr)
    sys.exit(any(figure.holds is False for result in found for figure in result["figures"]))


if __name__ == "__main__":
    main()
