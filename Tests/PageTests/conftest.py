"""The pages in a real browser, before the real server."""

from __future__ import annotations

import os
import pathlib
import shutil
import sys

import pytest
from playwright.sync_api import sync_playwright

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Servers and checkpoints to test against are shared with the Python client.
sys.path.insert(0, str(ROOT / "clients/python/tests"))

from browsing import CHROMIUM, Visit  # noqa: E402

from checkpoints import swapped  # noqa: E402
from servers import RealServer, Script, ScriptedServer  # noqa: E402

SERVER = pathlib.Path(os.environ.get("REVQ_SERVER") or ROOT / ".build/release/revq-server")


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        # A container's root has no sandbox, and the pages are our own.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """A folder with the default checkpoint and a model whose tokens mean something else, and the version of that."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("default", "twin"):
        shutil.copytree(ROOT / "checkpoints/default", folder / name)
    newest = swapped(folder / "twin")
    for version in (folder / "twin").iterdir():
        if version.name.isdigit() and int(version.name) != newest:
            shutil.rmtree(version)
    return folder, newest


@pytest.fixture(scope="session")
def server(models):
    folder, newest = models
    with RealServer(SERVER, folder) as server:
        server.await_version(newest)
        yield server


@pytest.fixture
def start(tmp_path):
    """Starts real servers of their own: with these flags, and a function that swaps the default checkpoint for another."""
    running = []

    def start(*flags):
        checkpoints = tmp_path / "checkpoints"
        shutil.copytree(ROOT / "checkpoints", checkpoints)
        server = RealServer(SERVER, checkpoints, *flags)
        server.swap = lambda: server.await_version(swapped(checkpoints / "default"))
        running.append(server)
        return server

    yield start
    for server in running:
        server.__exit__()


@pytest.fixture
def scripted():
    """Starts servers that answer as they are told."""
    started = []

    def start(answer):
        started.append(ScriptedServer(Script([answer])))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def visit(browser, server):
    """Opens a page in a browser of its own. Afterwards everything that it loaded has to be from one server, and nothing may have failed."""
    visits = []

    def open(path="/", *, of=None, at=None, **options):
        visits.append(Visit(browser, at or (of or server).url, path, **options))
        return visits[-1]

    yield open
    for each in visits:
        each.close()


@pytest.fixture(scope="session")
def photographs():
    return ROOT / "Tests/Photographs"
