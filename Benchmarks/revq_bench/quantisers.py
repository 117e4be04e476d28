"""Fits quantisers of equal bits to the same latents, and rectifiers behind each, and prints one Markdown table with bounds.

    python -m revq_bench.quantisers --latents runs/latents --vae runs/vae/vae --work runs/quantisers [--codes 256] [--tokens 512]

Errors are of held-out latents: the mean squared error of normalised latents without a rectifier and with each kind, the distortion that the
quantiser itself makes small, and the PSNR of 8-bit pictures against the autoencoder's own, without a rectifier and with each. Bounds are
for Gaussian latents, in the units of the distortion. Rectifiers are small and residual: they start from leaving the latents as they are.
With --adam, the paper's recipe on untied strips is run too, and the time that Lloyd's algorithm takes to its held-out error is printed.
Runs are kept in --work and not repeated, so that the same call goes on where it was interrupted.
"""

import argparse
import json
import math
import os
import resource
import subprocess


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--latents", required=True)
    parser.add_argument("--vae", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("--train", default=".build/release/revq-train")
    parser.add_argument("--threads", type=int, help="of every run; all cores by default")
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--codes", type=int, default=256)
    parser.add_argument("--passes", type=int, default=12)
    parser.add_argument("--start", default="k-means++")
    parser.add_argument("--groupings", default="strip,block-2x2,spatial,klt-1,klt-2")
    parser.add_argument("--sharing", default="untied,channel,one")
    parser.add_argument("--distortions", default="normalised,weighted")
    parser.add_argument("--rectifiers", default="linear,cnn,mlp,vit", help="behind every quantiser; none where empty")
    parser.add_argument("--width", type=int, default=64, help="of the cnn and vit; the mlp has four times as many")
    parser.add_argument("--epochs", type=int, default=10, help="for each trained rectifier")
    parser.add_argument("--adam", action="store_true")
    return parser.parse_args()


def fit(options, name, *arguments):
    """Runs `revq-train fit` unless it was run before; returns its result, its log and the processor time it took."""
    run = os.path.join(options.work, name)
    record = run + ".json"
    asked = ["--latents", options.latents, "--tokens", str(options.tokens), "--codes", str(options.codes), "--seed", "1", *arguments]
    if not os.path.exists(record) or json.load(open(record))["asked"] != asked:
        subprocess.run(["rm", "-rf", run], check=True)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        threads = ["--threads", str(options.threads)] if options.threads else []
        with open(run + ".output", "w") as output:
            if subprocess.run([options.train, "fit", "--output", run, *asked, *threads], stderr=output).returncode:
                print(f"{name}: {open(run + '.output').read().strip().splitlines()[-1]}")
                return None
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        with open(record, "w") as file:
            json.dump(dict(asked=asked, seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime), file)
    result = json.load(open(os.path.join(run, "fit", "fit.json")))
    log = [json.loads(line) for line in open(os.path.join(run, "log.jsonl"))]
    return result, log, json.load(open(record))["seconds"]


def rectified(options, name, kind, arguments):
    """The result behind the same codes (equal seeds make equal codes) with a rectifier of one kind."""
    width = options.width * (4 if kind == "mlp" else 1)
    shape = ["--rectifier-width", str(width), "--rectifier-rank", str(options.width // 2), "--rectifier-head", "32", "--rectifier-depth", "1"]
    training = ["--epochs", str(options.epochs), "--batch", "64", "--learning-rate", "0.02", "--schedule", "cosine"]
    found = fit(options, f"{name}-{kind}", *arguments, "--rectifier", kind, "--residual", *shape, *training)
    return found and found[0]


def decibels(error):
    return 10 * math.log10(255**2 / error)


def line(cells):
    print("| " + " | ".join(cell if isinstance(cell, str) else f"{cell:.4g}" for cell in cells) + " |", flush=True)


def tabulate(options):
    os.makedirs(options.work, exist_ok=True)
    rectifiers = [kind for kind in options.rectifiers.split(",") if kind]
    columns = ["grouping", "made small", "codebooks"]
    for figure in ["MSE", "dB"]:
        columns += [figure] + [f"{figure}, {kind}" for kind in rectifiers]
    columns += ["distortion", "Shannon", "Zador", "Zador, grouped", "water-filling", "codes used, %", "CPU s"]
    print(f"{options.tokens} tokens of {math.log2(options.codes):g} bits\n")
    line(columns)
    line(["---"] * len(columns))
    for distortion in options.distortions.split(","):
        for grouping in options.groupings.split(","):
            for sharing in options.sharing.split(","):
                name = f"{grouping}-{distortion}-{sharing}-{options.codes}"
                arguments = ["--vae", options.vae, "--grouping", grouping, "--distortion", distortion, "--codebooks", sharing]
                arguments += ["--passes", str(options.passes), "--start", options.start]
                found = fit(options, name, *arguments)
                if found is None:
                    continue
                result, _, seconds = found
                others = [rectified(options, name, kind, arguments) for kind in rectifiers]
                quality, bounds = result["quality"], result["bounds"]
                errors = [other["quality"]["rectifiedMSE"] if other else "" for other in others]
                pictures = [f"{decibels(other['pictures']['rectifiedMSE']):.2f}" if other else "" for other in others]
                own = f"{decibels(result['pictures']['quantizedMSE']):.2f}"
                line(
                    [grouping, distortion, sharing, quality["quantizedMSE"], *errors, own, *pictures, quality["distortion"]]
                    + [bounds[key] for key in ["shannon", "zador", "groupedZador", "waterFilling"]]
                    + [100 * quality["codebookUse"], seconds]
                )


def compare_with_adam(options):
    """How long Lloyd's algorithm takes to the error that the paper's recipe ends at."""
    # What every run spends on reading latents and measuring the result is no training.
    _, _, overhead = fit(options, f"no-passes-{options.codes}", "--method", "lloyd", "--codebooks", "untied", "--passes", "0")
    _, adam, adam_seconds = fit(options, f"adam-{options.codes}", "--method", "adam", "--codebooks", "untied", "--reset", "code")
    final = [entry["held_out_mse"] for entry in adam if "held_out_mse" in entry][-1]
    adam_seconds -= overhead
    print(f"adam, {adam[-1]['step']} steps: held-out MSE {final:.4g} after {adam_seconds:.1f} CPU-s of training")
    for start in ["sample", "k-means++"]:
        name = f"lloyd-{start}-{options.codes}"
        _, lloyd, _ = fit(options, name, "--method", "lloyd", "--codebooks", "untied", "--start", start, "--passes", str(options.passes))
        best = min(lloyd, key=lambda entry: entry["held_out_mse"])
        reached = next((entry["step"] for entry in lloyd if entry["held_out_mse"] <= final), best["step"])
        _, short, seconds = fit(
            options, f"{name}-{reached}", "--method", "lloyd", "--codebooks", "untied", "--start", start, "--passes", str(reached)
        )
        seconds -= overhead
        print(
            f"lloyd from {start}, {reached} passes: {short[-1]['held_out_mse']:.4g} after {seconds:.2f} CPU-s, "
            f"1/{adam_seconds / seconds:.0f} of that; best of {options.passes}: {best['held_out_mse']:.4g}"
        )


def main():
    options = parse()
    tabulate(options)
    if options.adam:
        compare_with_adam(options)


if __name__ == "__main__":
    main()
