"""The driver's end of a worker process."""

import json
import os
import subprocess
import sys

from .. import FOLDER


class WorkerFailed(Exception):
    pass


class Worker:
    """A long-lived process with one peer in it. Standard error is kept for the line that says why it failed."""

    def __init__(self, peer, case, executable, scratch):
        self.peer = peer
        self.log = scratch / f"{peer.name.replace(' ', '-')}.log"
        environment = dict(os.environ, OMP_NUM_THREADS=str(case.threads), PYTHONPATH=str(FOLDER), TOKENIZERS_PARALLELISM="false")
        self.process = subprocess.Popen(
            self._command(case, executable), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(self.log, "w"), text=True, env=environment
        )
        hello = self._answer()
        self.operations = [name for name in case.operations if name in hello["operations"]]
        self.load_ms = hello["load_ms"]

    def _command(self, case, executable):
        shared = ["--threads", str(case.threads)]
        if self.peer.engine == "revq":
            return [str(self.peer.form or executable), "work", *case.model.arguments, *shared, "--precision", self.peer.precision]
        return [
            sys.executable,
            "-m",
            "revq_bench.peers.worker",
            self.peer.engine,
            "--form",
            self.peer.form,
            "--model",
            str(case.model.folder),
            "--graphs",
            str(case.model.graphs),
            "--precision",
            self.peer.precision,
            "--batch",
            str(case.batch),
            "--size",
            str(case.size),
            *shared,
            *case.operations,
        ]

    def ask(self, **request):
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise WorkerFailed(self._last_words()) from None
        return self._answer()

    def _answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise WorkerFailed(self._last_words())
        return json.loads(line)

    def _last_words(self):
        self.process.wait()
        lines = [line for line in self.log.read_text().splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("Error")] or lines[-1:]
        return errors[0].strip()[:200] if errors else f"ended with status {self.process.returncode}"

    @property
    def peak_bytes(self):
        """The most memory that this process ever held, mapped files included."""
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()
