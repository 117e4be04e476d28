from __future__ import annotations

import os
import pathlib
import shutil

import pytest

from checkpoints import swapped
from servers import RealServer, Script, ScriptedServer

ROOT = pathlib.Path(__file__).resolve().parents[3]
SERVER = pathlib.Path(os.environ.get("REVQ_SERVER") or ROOT / ".build/release/revq-server")
PHOTOGRAPHS = ROOT / "Tests" / "Photographs"


@pytest.fixture(scope="session")
def server():
    """The real server with the default checkpoint."""
    with RealServer(SERVER, ROOT / "checkpoints") as server:
        yield server


@pytest.fixture
def swapping(tmp_path):
    """A real server that keeps one version, and a function that puts another in its place and returns when that is served."""
    checkpoints = tmp_path / "checkpoints"
    shutil.copytree(ROOT / "checkpoints", checkpoints)
    with RealServer(SERVER, checkpoints, "--resident-versions", "1") as server:

        def swap():
            server.await_version(swapped(checkpoints / "default"))

        server.swap = swap
        yield server


@pytest.fixture
def scripted():
    """Starts servers that answer as they are told."""
    started = []

    def start(*answers):
        started.append(ScriptedServer(Script(answers)))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="session")
def photographs():
    return sorted(PHOTOGRAPHS.glob("*.jpg"))
