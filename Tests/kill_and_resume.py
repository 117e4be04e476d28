"""Kills `revq-train fit`, by either method, and `revq-train vae` at ten random moments and starts them again each time; in the end they must
have written the same bytes as runs that nobody killed.

    swift build -c release && python Tests/kill_and_resume.py [SEED [PATH OF revq-train]]
"""

import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time

KILLS = 10
here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
train = sys.argv[2] if len(sys.argv) > 2 else os.path.join(here, ".build/release/revq-train")
default = os.path.join(here, "checkpoints/default")
vae = next(os.path.join(default, name) for name in sorted(os.listdir(default)) if name.startswith("vae-"))
seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(1 << 32)
moments = random.Random(seed)


def call(*arguments):
    subprocess.run([train, *arguments], check=True, stderr=subprocess.DEVNULL)


# --from an autoencoder whose last layers are trained so fast that the best weights are not the last.
TUNING = "--train tail --size 64 --crop 32 --batch 4 --steps 240 --measure-every 10 --learning-rate 0.01"
FITTING = "--tokens 128 --codes 64 --codebooks channel --passes 60 --epochs 60 --batch 16"
RECTIFIER = "--rectifier vit --rectifier-width 64 --rectifier-depth 1 --rectifier-head 8"


def start(folder, scratch, method):
    if method == "vae":
        arguments = ["vae", "--images", f"{scratch}/pictures", "--from", vae, *TUNING.split()]
    else:
        arguments = ["fit", "--latents", f"{scratch}/latents", "--method", method, *FITTING.split(), *RECTIFIER.split()]
    return subprocess.Popen([train, *arguments, "--output", folder, "--save-minutes", "0"], stderr=subprocess.DEVNULL)


def digests(folder):
    results = [name for name in ("fit", "vae", "vae-best") if os.path.exists(os.path.join(folder, name))]
    names = [f"{result}/{name}" for result in results for name in sorted(os.listdir(os.path.join(folder, result)))]
    contents = {name: open(os.path.join(folder, name), "rb").read() for name in names}
    # Times differ from call to call.
    log = [json.loads(line) for line in open(os.path.join(folder, "log.jsonl"))]
    times = ("seconds", "images_per_second")
    figures = [{name: value for name, value in line.items() if name not in times} for line in log]
    contents["log.jsonl"] = json.dumps(figures, sort_keys=True).encode()
    return {name: hashlib.sha256(data).hexdigest() for name, data in contents.items()}


def lines(folder):
    """How many steps the run has logged."""
    log = os.path.join(folder, "log.jsonl")
    return open(log, "rb").read().count(b"\n") if os.path.exists(log) else 0


def newest(folder):
    """The last saved step."""
    states = os.path.join(folder, "states")
    return max((int(name) for name in os.listdir(states) if name.isdigit()), default=0) if os.path.isdir(states) else 0


print(f"seed {seed}")
with tempfile.TemporaryDirectory() as scratch:
    at = lambda name: os.path.join(scratch, name)
    call("synthesize", "--output", at("pictures"), "--count", "72", "--size", "128")
    call("extract", "--images", at("pictures"), "--vae", vae, "--output", at("latents"), "--size", "128")
    for method in ["lloyd", "adam", "vae"]:
        assert start(at(method), scratch, method).wait() == 0
        steps = lines(at(method))
        killed, saved = at(method + "-killed"), []
        # A random step each, and then a random moment in it or in the saving of it: steps and saves take some ten milliseconds.
        for step in sorted(moments.sample(range(1, steps - 20), KILLS)):
            process = start(killed, scratch, method)
            while process.poll() is None and lines(killed) < step:
                time.sleep(0.001)
            time.sleep(moments.uniform(0, 0.03))
            assert process.poll() is None, "it ended before it could be killed"
            process.kill()
            process.wait()
            saved.append(newest(killed))
        assert start(killed, scratch, method).wait() == 0
        whole, resumed = digests(at(method)), digests(killed)
        drafts = [name for _, folders, files in os.walk(killed) for name in folders + files if name.endswith(".revq-draft")]
        print(
            f"{method}: {steps} steps; {KILLS} kills, saved steps then {saved}; "
            f"{'equal' if whole == resumed else 'DIFFERENT'} bytes in {', '.join(whole)}; {len(drafts)} drafts left"
        )
        if whole != resumed:
            sys.exit(1)
