"""Trains an autoencoder with two ranks on two hosts that know each other by the network alone, and expects the bytes of one process.

    swift build -c release && sudo python Tests/mpi_hosts.py [PATH OF revq-train]

The hosts are network namespaces with host names of their own, joined by a bridge; in the place of SSH, Open MPI enters them by `ip netns exec`.
Needs root, iproute2 and Open MPI. Prints what went over the bridge.
"""

import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

here = pathlib.Path(__file__).resolve().parent.parent
train = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else here / ".build/release/revq-train").resolve()
vae = next((here / "checkpoints/default").glob("vae-*"))
NET, BRIDGE = "10.213.77", "revqbr0"
AGENT = """#!/bin/sh
# What ssh does: HOST COMMAND ...
host=$1; shift
exec ip netns exec "revq${host##*.}" unshare --uts sh -c "hostname host${host##*.}; $*"
"""
TRAINING = ["--size", "64", "--crop", "32", "--batch", "8", "--steps", "12", "--measure-every", "6", "--threads", "1"]


def ip(*words):
    return subprocess.run(["ip", *words], check=True, stdout=subprocess.PIPE, text=True).stdout


def begin():
    ip("link", "add", BRIDGE, "type", "bridge")
    ip("addr", "add", f"{NET}.254/24", "dev", BRIDGE)
    ip("link", "set", BRIDGE, "up")
    for host in ("1", "2"):
        ip("netns", "add", f"revq{host}")
        ip("link", "add", f"revqv{host}", "type", "veth", "peer", "name", "eth0", "netns", f"revq{host}")
        ip("link", "set", f"revqv{host}", "master", BRIDGE, "up")
        ip("-n", f"revq{host}", "addr", "add", f"{NET}.{host}/24", "dev", "eth0")
        for link in ("eth0", "lo"):
            ip("-n", f"revq{host}", "link", "set", link, "up")


def end():
    for words in (["netns", "del", "revq1"], ["netns", "del", "revq2"], ["link", "del", BRIDGE]):
        subprocess.run(["ip", *words], stderr=subprocess.DEVNULL)


def weights(run):
    return hashlib.sha256((run / "vae/diffusion_pytorch_model.safetensors").read_bytes()).hexdigest()


def main():
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        agent = scratch / "agent"
        agent.write_text(AGENT)
        agent.chmod(0o755)
        words = [train, "synthesize", "--output", scratch / "pictures", "--count", "60", "--size", "64"]
        subprocess.run([str(word) for word in words], check=True, stderr=subprocess.DEVNULL)
        command = [train, "vae", "--images", scratch / "pictures", "--from", vae, *TRAINING, "--output"]
        subprocess.run([str(word) for word in [*command, scratch / "alone"]], check=True, stderr=subprocess.DEVNULL)
        mpi = f"mpirun --quiet --allow-run-as-root --bind-to none -np 2 --host {NET}.1:1,{NET}.2:1 --mca plm_rsh_agent {agent} --mca btl self,tcp"
        mpi += f" --mca pml ob1 --mca btl_tcp_if_include {NET}.0/24 --mca oob_tcp_if_include {NET}.0/24"
        begin()
        try:
            subprocess.run([*mpi.split(), *(str(word) for word in [*command, scratch / "shared"])], check=True)
            link = json.loads(ip("-n", "revq1", "-s", "-j", "link", "show", "eth0"))[0]["stats64"]
            sent, received = link["tx"]["bytes"], link["rx"]["bytes"]
        finally:
            end()
        assert weights(scratch / "alone") == weights(scratch / "shared"), "two hosts have made other weights than one process"
        print(f"the same bytes on two hosts; {sent / 1e6:.1f} MB sent and {received / 1e6:.1f} MB received by the first")


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("mpi_hosts.py makes network namespaces: run it as root")
    main()
