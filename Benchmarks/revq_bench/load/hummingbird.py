"""Hummingbird that answers what /livez answers, for comparison: Benchmarks/hummingbird-livez, built into .bench when it is first asked for."""

import contextlib
import subprocess
import sys

from .. import ROOT
from . import usage
from .server import free_port

_PACKAGE, _SCRATCH = ROOT / "Benchmarks" / "hummingbird-livez", ROOT / ".bench" / "hummingbird"


def executable():
    """None where it could not be built."""
    print("building Hummingbird: minutes, the first time", file=sys.stderr, flush=True)
    build = ["swift", "build", "-c", "release", "--package-path", str(_PACKAGE), "--scratch-path", str(_SCRATCH)]
    if subprocess.run(build, stdout=sys.stderr).returncode != 0:
        return None
    return _SCRATCH / "release" / "hummingbird-livez"


@contextlib.contextmanager
def hummingbird(executable):
    """Its port and the clock of its CPU."""
    port = free_port()
    process = subprocess.Popen([executable, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield port, lambda: usage.cpu_seconds(process.pid)
    finally:
        process.terminate()
        process.wait()
