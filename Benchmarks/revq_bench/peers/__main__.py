"""python -m revq_bench.peers [--quick] [...]: measures revq and its peers, prints one table, and writes it with all figures under .bench/results."""

import argparse
import datetime
import functools
import json
import os
import pathlib
import sys
import tempfile

from .. import ROOT
from . import plan, profile, report
from .measure import measure, median
from .models import Model, random_autoencoder, random_tokenizer


def parse():
    parser = argparse.ArgumentParser(prog="revq_bench.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="batch 1 on all threads only, three rounds")
    parser.add_argument("--repeats", type=int, help="rounds of every case: 7, or 3 for --quick and large pictures; 0 for memory and results alone")
    parser.add_argument("--threads", type=int, nargs="+", help="1 and all cores by default")
    parser.add_argument("--batches", type=int, nargs="+", help="1 and 4 by default")
    parser.add_argument("--sizes", type=int, nargs="*", help="further sides in pixels, 128 512 1024 by default")
    parser.add_argument("--model", default="sana-1.1", help="which of revq_bench/configurations")
    parser.add_argument("--families", nargs="*", choices=plan.FAMILIES, help="further families of autoencoders, all by default, none for --quick")
    parser.add_argument("--only", nargs="+", default=[], help="peers whose names contain one of these words")
    parser.add_argument("--parts", nargs="+", default=["fp32", "bf16", "growth", "families", "default"], help="which parts of the plan")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / ".bench", help="where models and results are kept")
    parser.add_argument("--executable", type=pathlib.Path, default=ROOT / ".build/release/revq-bench")
    parser.add_argument("--beside", type=pathlib.Path, help="revq-bench of another build of before a change: measured in turn with this one")
    return parser.parse_args()


class Run:
    def __init__(self, options):
        self.options, self.results = options, []
        self.written = options.folder / "results" / datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
        cores = len(os.sched_getaffinity(0))
        self.threads = options.threads or ([cores] if options.quick else sorted({1, cores}, reverse=True))
        self.batches = options.batches or ([1] if options.quick else [1, 4])
        self.sizes = options.sizes if options.sizes is not None else ([] if options.quick else [128, 512, 1024])
        self.families = options.families if options.families is not None else ([] if options.quick else list(plan.FAMILIES))
        self.repeats = options.repeats if options.repeats is not None else (3 if options.quick else 7)
        self.beside = [plan.another_build(options.beside)] if options.beside else []
        self.models = options.folder / "models"
        # The forms of PyTorch are compared once for each model and precision, then the fastest stands for it.
        self.fastest_pytorch = {}

    @functools.cached_property
    def model(self):
        return random_tokenizer(self.models, self.options.model)

    @functools.cached_property
    def default(self):
        newest = max((ROOT / "checkpoints/default").glob("[0-9]*"))
        fingerprint = json.loads((newest / "manifest.json").read_text())["fingerprint"]
        return Model("default", newest, self.models / f"default-{fingerprint[:12]}")

    def parts(self):
        """Every part by its name, in order."""
        return {"fp32": self.fp32, "bf16": self.bf16, "growth": self.growth, "families": self.other_families, "default": self.default_checkpoint}

    def fp32(self):
        for case in self._cases(self.model, "fp32", plan.ALL, is_profiled=True):
            self._measure(case, [plan.OURS, *self.beside, *plan.OTHERS], plan.PYTORCH)

    def bf16(self):
        for case in self._cases(self.model, "bf16", plan.ENCODE_DECODE):
            self._measure(case, [plan.OURS, plan.OURS_BF16, *plan.OTHERS_BF16], plan.PYTORCH_BF16)

    def growth(self):
        threads = max(self.threads)
        for size in self.sizes:
            case = plan.Case(self.model, 1, size, threads, "fp32", plan.ENCODE_DECODE)
            self._measure(case, [plan.OURS, *plan.OTHERS], plan.PYTORCH, repeats=min(3, self.repeats))
        if self.sizes:
            for batch in (2, 8):
                self._measure(plan.Case(self.model, batch, 256, threads, "fp32", plan.ENCODE_DECODE), [plan.OURS], [], repeats=min(3, self.repeats))

    def other_families(self):
        for name in self.families:
            model, size = random_autoencoder(self.models, name), plan.FAMILIES[name]
            for threads in self.threads:
                case = plan.Case(model, 1, size, threads, "fp32", plan.ENCODE_DECODE)
                repeats = min(3, self.repeats) if size > model.image_size else None
                self._measure(case, [plan.OURS, *self.beside, *plan.OTHERS], plan.PYTORCH, repeats)

    def default_checkpoint(self):
        for case in self._cases(self.default, "fp32", plan.ALL):
            self._measure(case, [plan.OURS, *self.beside, *plan.OTHERS], plan.PYTORCH)

    def _cases(self, model, precision, operations, is_profiled=False):
        for batch in self.batches:
            for threads in self.threads:
                yield plan.Case(model, batch, model.image_size, threads, precision, operations, is_profiled)

    def _measure(self, case, peers, pytorch, repeats=None):
        key = case.model.name, case.precision
        forms = [self.fastest_pytorch[key]] if key in self.fastest_pytorch and pytorch else pytorch
        chosen = [peer for peer in peers + forms if self._wants(peer)]
        print(f"{case}: {', '.join(peer.name for peer in chosen)}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory(dir=self.options.folder) as scratch:
            result = measure(case, chosen, self.repeats if repeats is None else repeats, self.options.executable, pathlib.Path(scratch), self._say)
        self.results.append(result)
        self._write()
        times = {form: sum(median(result, form.name, operation) or 0 for operation in plan.ENCODE_DECODE) for form in forms}
        times = {form: time for form, time in times.items() if time > 0}
        if times:
            self.fastest_pytorch.setdefault(key, min(times, key=times.get))

    def _wants(self, peer):
        return not self.options.only or any(word.lower() in peer.name.lower() for word in self.options.only)

    def _say(self, text):
        print(f"  {text}", file=sys.stderr, flush=True)

    def _write(self):
        """After every case, so that an interrupted run leaves what it had."""
        self.written.parent.mkdir(exist_ok=True)
        self.written.with_suffix(".json").write_text(json.dumps(self.results, indent=1))
        self.written.with_suffix(".md").write_text(self.report())

    def report(self):
        parts = [LEGEND, report.table(self.results), report.ratios(self.results), profile.tables(self.results)]
        return "\n\n".join(part for part in parts if part) + "\n"


LEGEND = """Median (fastest–slowest) per image, GFLOP/s of the direct computation, share of the sgemm rate of the same rounds. Peak memory is
that of a fresh process after one call of each operation; load is from files to ready sessions, without compilation on first use. Difference:
relative L2 of the results from revq's, or the share of differing tokens, whichever is larger."""


def main():
    options = parse()
    options.folder.mkdir(parents=True, exist_ok=True)
    run = Run(options)
    for part, measure_part in run.parts().items():
        if part in options.parts:
            measure_part()
    print(run.report())
    print(f"written to {run.written}.md and .json", file=sys.stderr)


if __name__ == "__main__":
    main()
