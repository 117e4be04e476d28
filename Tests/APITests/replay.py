"""Replays openapi.yaml against a real server by schemathesis, with all its checks: first what everybody is offered, then what operators are.

REVQ_SERVER=… python Tests/APITests/replay.py
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import socket
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Servers to test against are shared with the Python client.
sys.path.insert(0, str(ROOT / "clients/python/tests"))

from servers import RealServer  # noqa: E402

SERVER = pathlib.Path(os.environ.get("REVQ_SERVER") or ROOT / ".build/release/revq-server")
OPERATORS = "^/admin/"


def main():
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        with RealServer(SERVER, ROOT / "checkpoints") as server:
            failed |= replay(server.url, folder, "--exclude-path-regex", OPERATORS)
        keys = pathlib.Path(folder, "keys")
        keys.write_text(f"operator {hashlib.sha256(b'key').hexdigest()} operations=admin\n")
        port = free_port()
        with RealServer(SERVER, ROOT / "checkpoints", "--admin-port", str(port), "--api-keys", str(keys)):
            failed |= replay(f"http://127.0.0.1:{port}", folder, "--include-path-regex", OPERATORS)
    return failed


def replay(url, folder, *flags):
    """Whether something was found. Always the same requests."""
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    command = [program, "--config-file", ROOT / "Tests/APITests/schemathesis.toml", "run", ROOT / "openapi.yaml", "--url", url]
    command += ["--seed", "1", "--generation-deterministic", "--max-examples", "30", "--warnings", "off", "--no-color", *flags]
    return subprocess.run([str(word) for word in command], cwd=folder).returncode != 0


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


if __name__ == "__main__":
    sys.exit(main())
