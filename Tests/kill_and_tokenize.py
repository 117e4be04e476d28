"""Tokenises pictures in four shards at the same time, kills two of them at random moments, and starts these again; in the end the folder
must hold the bytes of one run that nobody killed, in each format.

    swift build -c release && python Tests/kill_and_tokenize.py PICTURES [SEED [PATH OF revq-train]]

PICTURES is a folder of some two thousand.
"""

import hashlib
import pathlib
import random
import subprocess
import sys
import tempfile
import time

SHARDS, KILLED, PER_FILE = 4, 2, 100
here = pathlib.Path(__file__).resolve().parent.parent
pictures = sys.argv[1]
seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
train = sys.argv[3] if len(sys.argv) > 3 else here / ".build/release/revq-train"
checkpoint = max(path for path in (here / "checkpoints/default").iterdir() if path.name.isdigit())
moments = random.Random(seed)


def start(output, form, shard, count):
    return subprocess.Popen(
        [train, "tokenize", "--images", pictures, "--checkpoint", checkpoint, "--output", output, "--format", form]
        + ["--per-file", str(PER_FILE), "--shard", f"{shard}/{count}"],
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process):
    _, text = process.communicate()
    assert process.returncode == 0, text


def digests(folder):
    """Of all files whose names are not hidden."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def recorded(folder):
    """How many pictures are in the journals of the jobs."""
    return sum(path.stat().st_size for path in folder.glob(".journal-*")) // (48 + 4 * 512 + 8)


print(f"seed {seed}")
with tempfile.TemporaryDirectory() as scratch:
    for form in ["webdataset", "llamagen", "bin", "jsonl"]:
        whole, shared = pathlib.Path(scratch) / f"{form}-whole", pathlib.Path(scratch) / f"{form}-shared"
        began = time.monotonic()
        end(start(whole, form, 0, 1))
        seconds = time.monotonic() - began
        jobs = {shard: start(shared, form, shard, SHARDS) for shard in range(SHARDS)}
        before = []
        for shard in moments.sample(range(SHARDS), KILLED):
            time.sleep(moments.uniform(0.1, 0.4) * seconds)
            assert jobs[shard].poll() is None, "it ended before it could be killed"
            jobs[shard].kill()
            jobs.pop(shard).communicate()
            before.append((shard, recorded(shared)))
        for job in jobs.values():
            end(job)
        assert digests(shared) != digests(whole), "the killed jobs had nothing left to do"
        for shard, _ in before:
            end(start(shared, form, shard, SHARDS))
        expected, found = digests(whole), digests(shared)
        left = [path.name for path in shared.rglob(".journal-*")] + [path.name for path in shared.rglob("*.revq-draft")]
        killed = ", ".join(f"job {shard} with {count} pictures in all journals" for shard, count in before)
        verdict = "equal" if found == expected else "DIFFERENT"
        print(f"{form}: killed {killed}; {verdict} bytes in {len(expected)} files; {len(left)} hidden files left")
        if found != expected or left:
            sys.exit(1)
