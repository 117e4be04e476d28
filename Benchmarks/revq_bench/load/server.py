"""The server as a child process."""

import asyncio
import contextlib
import os
import pathlib
import resource
import signal
import socket
import subprocess
import tempfile
import time

from . import usage
from .wire import ask, request

START_SECONDS = 60
# This client raises its own limit on open files; the server gets what whoever started both has.
_FILES = resource.getrlimit(resource.RLIMIT_NOFILE)


class ServerFailed(Exception):
    pass


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """One that was started here, on a free port of its own unless it is told one, and on some cores if they are named."""

    def __init__(self, executable, checkpoints, flags=(), log=None, port=None, cores=None):
        self.port = port or free_port()
        self.log = log or tempfile.TemporaryFile()
        command = [executable, "--checkpoints", checkpoints, "--port", self.port, *flags]
        self.process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=self.log,
            preexec_fn=lambda: self._prepare(cores),
        )

    @staticmethod
    def _prepare(cores):
        resource.setrlimit(resource.RLIMIT_NOFILE, _FILES)
        if cores:
            os.sched_setaffinity(0, cores)

    @property
    def pid(self):
        return self.process.pid

    @property
    def is_running(self):
        return self.process.poll() is None

    async def wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if not self.is_running:
                raise ServerFailed(f"it ended with status {self.process.returncode}: {self.last_words()}")
            with contextlib.suppress(OSError):
                if (await self.get("/readyz")).status == 200:
                    return
            await asyncio.sleep(0.05)
        raise ServerFailed(f"it is not ready after {START_SECONDS} s: {self.last_words()}")

    async def get(self, path, seconds=30):
        return await self.ask(request("GET", path), seconds)

    async def ask(self, message, seconds=30):
        """One answer over a connection of its own."""
        return await ask(self.port, message, seconds)

    async def counters(self):
        """Every number of /metrics by its name with labels; nothing where the server has no such route."""
        answer = await self.get("/metrics")
        if answer.status != 200:
            return {}
        return read_metrics(answer.body.decode())

    def last_words(self):
        if isinstance(self.log, int):
            return ""
        self.log.seek(0)
        return self.log.read().decode(errors="replace").strip()[-300:]

    def peak_bytes(self):
        return usage.peak_bytes(self.pid)

    def resident_bytes(self):
        return usage.resident_bytes(self.pid)

    def terminate(self):
        if self.is_running:
            self.process.send_signal(signal.SIGTERM)

    def close(self, seconds=40):
        """Whether it ended by itself when it was asked to."""
        self.terminate()
        try:
            self.process.wait(seconds)
            return True
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return False


def read_metrics(text):
    """Every number by its name with labels."""
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, value in lines}


def newest_version(checkpoints, model="default"):
    versions = [folder for folder in pathlib.Path(checkpoints, model).iterdir() if (folder / "manifest.json").exists()]
    return max(versions, key=lambda folder: int(folder.name))
