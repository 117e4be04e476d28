#!/usr/bin/env python3
"""Fits quantisers of equal bits to the same latents and prints one table: groupings, distortions and sharing of codebooks, with bounds.

    python Benchmarks/quantisers.py --latents runs/latents --vae runs/vae/vae --work runs/quantisers [--codes 256] [--tokens 512]

Errors are of held-out latents: the mean squared error of normalised latents, the distortion that the quantiser itself makes small, and
the squared error of 8-bit pictures against the autoencoder's own. Bounds are for Gaussian latents, in the units of the distortion.
With --adam, the paper's recipe on untied strips is run too, and the time that Lloyd's algorithm takes to its held-out error is printed.
Runs are kept in --work and not repeated.
"""
import argparse
import json
import math
import os
import resource
import subprocess

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--latents", required=True)
parser.add_argument("--vae", required=True)
parser.add_argument("--work", required=True)
parser.add_argument("--train", default=".build/release/revq-train")
parser.add_argument("--tokens", type=int, default=512)
parser.add_argument("--codes", type=int, default=256)
parser.add_argument("--passes", type=int, default=12)
parser.add_argument("--start", default="k-means++")
parser.add_argument("--groupings", default="strip,block-2x2,spatial,klt-1,klt-2")
parser.add_argument("--sharing", default="untied,channel,one")
parser.add_argument("--distortions", default="normalised,weighted")
parser.add_argument("--adam", action="store_true")
options = parser.parse_args()


def fit(name, *arguments):
    """Runs `revq-train fit` unless it was run before; returns its result, its log and the processor time it took."""
    run = os.path.join(options.work, name)
    timing = os.path.join(options.work, name + ".seconds")
    if not os.path.exists(timing):
        subprocess.run(["rm", "-rf", run], check=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [options.train, "fit", "--latents", options.latents, "--output", run, "--tokens", str(options.tokens)]
        command += ["--codes", str(options.codes), "--seed", "1", *arguments]
        with open(run + ".output", "w") as output:
            if subprocess.run(command, stderr=output).returncode:
                print(f"{name}: {open(run + '.output').read().strip().splitlines()[-1]}")
                return None
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(timing, "w") as file:
            file.write(str(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    result = json.load(open(os.path.join(run, "fit", "fit.json")))
    log = [json.loads(line) for line in open(os.path.join(run, "log.jsonl"))]
    return result, log, float(open(timing).read())


os.makedirs(options.work, exist_ok=True)
print(f"{options.tokens} tokens of {math.log2(options.codes):g} bits")
columns = "grouping distortion codebooks MSE distortion picture-error dB use% Shannon Zador Zador-grouped water-filling CPU-s".split()
print("".join(f"{c:>14}" for c in columns))
for distortion in options.distortions.split(","):
    for grouping in options.groupings.split(","):
        for sharing in options.sharing.split(","):
            name = f"{grouping}-{distortion}-{sharing}-{options.codes}"
            found = fit(
                name, "--vae", options.vae, "--grouping", grouping, "--distortion", distortion, "--codebooks", sharing, "--passes",
                str(options.passes), "--start", options.start)
            if found is None:
                continue
            result, _, seconds = found
            quality, bounds, picture = result["quality"], result["bounds"], result["pictures"]["quantizedMSE"]
            figures = [quality["quantizedMSE"], quality["distortion"], picture, 10 * math.log10(255**2 / picture)]
            figures += [100 * quality["codebookUse"]]
            figures += [bounds[key] for key in ["shannon", "zador", "groupedZador", "waterFilling"]] + [seconds]
            print("".join(f"{c:>14}" for c in [grouping, distortion, sharing]) + "".join(f"{f:>14.4g}" for f in figures), flush=True)

if options.adam:
    # What every run spends on reading latents and measuring the result is no training.
    _, _, overhead = fit(f"no-passes-{options.codes}", "--method", "lloyd", "--codebooks", "untied", "--passes", "0")
    _, adam, adam_seconds = fit(f"adam-{options.codes}", "--method", "adam", "--codebooks", "untied", "--reset", "code")
    final = [entry["held_out_mse"] for entry in adam if "held_out_mse" in entry][-1]
    adam_seconds -= overhead
    print(f"adam, {adam[-1]['step']} steps: held-out MSE {final:.4g} after {adam_seconds:.1f} CPU-s of training")
    for start in ["sample", "k-means++"]:
        name = f"lloyd-{start}-{options.codes}"
        _, lloyd, _ = fit(name, "--method", "lloyd", "--codebooks", "untied", "--start", start, "--passes", str(options.passes))
        best = min(lloyd, key=lambda entry: entry["held_out_mse"])
        reached = next((entry["step"] for entry in lloyd if entry["held_out_mse"] <= final), best["step"])
        _, short, seconds = fit(f"{name}-{reached}", "--method", "lloyd", "--codebooks", "untied", "--start", start, "--passes", str(reached))
        seconds -= overhead
        print(
            f"lloyd from {start}, {reached} passes: {short[-1]['held_out_mse']:.4g} after {seconds:.2f} CPU-s, 1/{adam_seconds / seconds:.0f} of that; "
            f"best of {options.passes}: {best['held_out_mse']:.4g}")
