#!/usr/bin/env python3
"""Counts the files and lines that somebody follows who follows ARCHITECTURE.md's four walks, by walking them.

    git clone . ../before && git -C ../before checkout REVISION          any revision of this repository, in a folder of its own
    python3 Tools/walks.py ../before .                                   one table, a column for each folder

Builds server and trainer with counters in every Swift function, and lets them run. What belongs to a walk is what ran once more for each
time that it was walked: a hundred pictures beside none, twenty steps of training beside none, from the same start. What turns without
being asked, such as the loops that wait, does not. A checkpoint is walked once, so that there it is whatever ran at all: in `publish`, and
in a server that finds one beside a server that finds none. Swift only: kernels and codecs are a call each.

By hand: it builds everything twice, which takes an hour for two folders. Run by nothing else.
"""

import argparse
import collections
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

PICTURES, STEPS = 100, 20
# Counters are not atomic: where threads meet, one may be lost.
LOST = 0.05
# Beside the compiler: another one's would not read its profiles.
TOOLS = pathlib.Path(shutil.which("swift") or "").resolve().parent


class House:
    """A folder with this repository in it, at some revision."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.products = self.folder / ".build-walks" / "release"

    def build(self):
        counters = ["-Xswiftc", "-profile-generate", "-Xswiftc", "-profile-coverage-mapping"]
        for product in ("revq-server", "revq-train"):
            command = ["swift", "build", "-c", "release", "--scratch-path", ".build-walks", *counters, "--product", product]
            subprocess.run(command, cwd=self.folder, check=True)

    def start(self, product, *arguments, profile="/dev/null"):
        """With the profile at its place once the process has ended."""
        environment = {**os.environ, "LLVM_PROFILE_FILE": str(profile)}
        command = [self.products / product, *map(str, arguments)]
        return subprocess.Popen(command, cwd=self.folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    @property
    def architecture(self):
        """The option of vae that names a config.json: in older trees --config, which now names a file of options."""
        return "--architecture" if (self.folder / "Sources/Training/revq-train/ConfigurationFile.swift").exists() else "--config"

    def held_out(self, count):
        """So many pictures that are not learned from; trees with a split deal them by themselves."""
        return [] if (self.folder / "Sources/Training/revq-train/SplitOptions.swift").exists() else ["--held-out", count]

    def train(self, *arguments, profile="/dev/null"):
        process = self.start("revq-train", *arguments, profile=profile)
        if process.wait() != 0:
            raise RuntimeError(f"revq-train {' '.join(map(str, arguments))} ended with {process.returncode}")

    def counts(self, product, profile):
        """{(path, function): (how often it ran, its first line, its last)} of the functions under Sources."""
        merged = f"{profile}.merged"
        subprocess.run([TOOLS / "llvm-profdata", "merge", "-o", merged, profile], check=True)
        command = [TOOLS / "llvm-cov", "export", "-instr-profile", merged, self.products / product]
        exported = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        found = {}
        for function in exported["data"][0]["functions"]:
            path = pathlib.Path(function["filenames"][0])
            if path.is_relative_to(self.folder / "Sources"):
                first, _, last, *_ = function["regions"][0]
                found[str(path.relative_to(self.folder)), function["name"]] = (function["count"], first, last)
        return found


def more(with_walk, without, least):
    """{(path, function): (first line, last line)} of what ran `least` times more."""
    return {key: (first, last) for key, (count, first, last) in with_walk.items() if count - without.get(key, (0,))[0] >= least}


class Server:
    """A server for the length of a `with`."""

    def __init__(self, house, checkpoints, profile):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        arguments = ["--checkpoints", checkpoints, "--port", self.port, "--threads", 1]
        self.process = house.start("revq-server", *arguments, profile=profile)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()

    def ask(self, method, path, body=None, kind=None):
        """The status, 0 where nobody listens yet, and the body of the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            connection.request(method, path, body, {"Content-Type": kind} if kind else {})
            answer = connection.getresponse()
            return answer.status, answer.read()
        except ConnectionError:
            return 0, b""
        finally:
            connection.close()

    def wait(self):
        while self.ask("GET", "/readyz")[0] != 200:
            time.sleep(1)


def requests(house, folder):
    """Walks 1 and 2 by the default checkpoint. What is not asked for runs as long as what is."""
    photograph = (house.folder / "Tests/Photographs/chelsea.jpg").read_bytes()
    checkpoints = house.folder / "checkpoints"
    tokens, seconds, profiles = None, 0, {}
    for walk in ("encode", "decode", "idle"):
        profiles[walk] = folder / walk
        with Server(house, checkpoints, profiles[walk]) as server:
            server.wait()
            tokens = tokens or server.ask("POST", "/encode", photograph, "image/jpeg")[1]
            body, kind = (photograph, "image/jpeg") if walk == "encode" else (tokens, "application/json")
            started = time.monotonic()
            if walk == "idle":
                time.sleep(seconds)
            else:
                for _ in range(PICTURES):
                    status, _ = server.ask("POST", f"/{walk}", body, kind)
                    if status != 200:
                        raise RuntimeError(f"/{walk} answered {status}")
                seconds = max(seconds, time.monotonic() - started)
    counted = {walk: house.counts("revq-server", profile) for walk, profile in profiles.items()}
    least = PICTURES * (1 - LOST)
    return more(counted["encode"], counted["idle"], least), more(counted["decode"], counted["idle"], least)


def gradient(house, folder):
    """Walk 3 through the layers of a small DC-AE, saving after every step."""
    house.train("synthesize", "--output", folder / "pictures", "--count", 8, "--size", 64, "--seed", 1)
    fixture = next(house.folder.glob("Tests/*/Fixtures/dcae_in/config.json"))
    options = ["--size", 64, "--crop", 64, "--batch", 2, "--shards", 2, *house.held_out(0), "--save-minutes", 0, "--threads", 1]
    counted = []
    for steps in (1, 1 + STEPS):
        run, profile = folder / f"run-{steps}", folder / f"steps-{steps}"
        house.train("vae", "--images", folder / "pictures", "--output", run, house.architecture, fixture, "--steps", steps, *options, profile=profile)
        counted.append(house.counts("revq-train", profile))
    return more(counted[1], counted[0], STEPS * (1 - LOST))


def checkpoint(house, folder):
    """Walk 4 with the smallest patch code."""
    made = {name: folder / name for name in ("images", "vae", "latents", "fit", "checkpoints", "empty")}
    made["empty"].mkdir()
    house.train("synthesize", "--output", made["images"], "--count", 40, "--size", 64, "--seed", 1)
    vae, fit = made["vae"] / "vae", made["fit"] / "fit"
    architecture = house.folder / "checkpoints/default/architecture.json"
    house.train("vae", "--images", made["images"], "--output", made["vae"], house.architecture, architecture, "--size", 64, "--steps", 0)
    house.train("extract", "--images", made["images"], "--vae", vae, "--output", made["latents"])
    options = ["--tokens", 32, "--codes", 16, "--passes", 2, *house.held_out(4)]
    house.train("fit", "--latents", made["latents"], "--vae", vae, "--output", made["fit"], *options)
    options = [*house.held_out(4), "--name", "default", "--checkpoints", made["checkpoints"]]
    publish = ["publish", "--vae", vae, "--fit", fit, "--images", made["images"], *options]
    house.train(*publish, profile=folder / "publish")
    house.train("--help", profile=folder / "help")
    published = more(house.counts("revq-train", folder / "publish"), house.counts("revq-train", folder / "help"), 1)
    for name in ("checkpoints", "empty"):
        with Server(house, made[name], folder / f"serve-{name}") as server:
            while name == "checkpoints" and server.ask("GET", "/readyz")[0] != 200:
                time.sleep(1)
            if name == "empty":
                time.sleep(3)
                server.ask("GET", "/readyz")
    found = house.counts("revq-server", folder / "serve-checkpoints")
    idle = house.counts("revq-server", folder / "serve-empty")
    # What runs without a checkpoint too is no part of the walk, however often.
    return published | {key: (first, last) for key, (count, first, last) in found.items() if count > 0 and idle.get(key, (0,))[0] == 0}


def figure(house, walked):
    """Files, lines in them, and lines of the functions that ran."""
    ran = collections.defaultdict(set)
    for (path, _), (first, last) in walked.items():
        ran[path].update(range(first, last + 1))
    lines = sum(len((house.folder / path).read_text().splitlines()) for path in ran)
    return f"{len(ran)} files, {lines:,} lines; ran {sum(map(len, ran.values())):,}"


def walk(house, keep):
    with tempfile.TemporaryDirectory() as folder:
        folders = [pathlib.Path(folder) / name for name in ("requests", "gradient", "checkpoint")]
        for part in folders:
            part.mkdir()
        picture, tokens = requests(house, folders[0])
        walks = {
            "a picture becomes tokens": picture,
            "tokens become a PNG": tokens,
            "a gradient": gradient(house, folders[1]),
            "a checkpoint": checkpoint(house, folders[2]),
        }
    if keep:
        listed = {name: sorted({path for path, _ in walked}) for name, walked in walks.items()}
        pathlib.Path(keep, f"{house.folder.name}.json").write_text(json.dumps(listed, indent=1))
    return {name: figure(house, walked) for name, walked in walks.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--keep", help="a folder for the lists of files")
    options = parser.parse_args()
    houses = [House(folder) for folder in options.folders]
    for house in houses:
        house.build()
    columns = [walk(house, options.keep) for house in houses]
    print("| | " + " | ".join(house.folder.name for house in houses) + " |")
    print("|---" * (len(houses) + 1) + "|")
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(column[name] for column in columns) + " |")


if __name__ == "__main__":
    main()
