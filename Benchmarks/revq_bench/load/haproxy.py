"""HAProxy with deploy/haproxy/haproxy.cfg, on this machine: only ports, paths and the replicas' addresses are others."""

import asyncio
import contextlib
import pathlib
import re
import shutil
import subprocess
import tempfile
import urllib.request

from .. import ROOT
from . import usage
from .server import free_port, read_metrics

CONFIGURATION = ROOT / "deploy" / "haproxy" / "haproxy.cfg"
MISSING = "not measured: apt-get install haproxy"


def executable():
    return shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


class Balancer:
    """One that runs. A replica is known by the name that the configuration gives it: replica1, replica2, …"""

    def __init__(self, process, ports):
        self.process = process
        self.port, self.tls_port, self._metrics_port = ports

    def cpu_seconds(self):
        return usage.cpu_seconds(self.process.pid)

    async def metrics(self):
        """As /metrics has them."""
        # It comes in chunks, which the client of this package does not read.
        text = await asyncio.to_thread(lambda: urllib.request.urlopen(f"http://127.0.0.1:{self._metrics_port}/metrics", timeout=5).read())
        return read_metrics(text.decode())

    async def count(self, name):
        """The sum of a metric over the replicas."""
        return sum(value for key, value in (await self.metrics()).items() if key.startswith(f'{name}{{proxy="revq"'))

    async def wait_for(self, replica, state, seconds=30):
        """Until it counts the replica, from 1, as up (state 1) or down (0)."""
        key = f'haproxy_server_status{{proxy="revq",server="replica{replica}",state="UP"}}'
        for _ in range(int(seconds / 0.05)):
            with contextlib.suppress(OSError):
                if (await self.metrics())[key] == state:
                    return
            await asyncio.sleep(0.05)
        raise TimeoutError(f"HAProxy does not see replica {replica} {'up' if state else 'down'} within {seconds} s")


def configuration(replicas, ports, certificate):
    """The text to run with.

    replicas: pairs of the ports of the service, and of health and metrics
    ports: of HTTP, HTTPS and metrics
    """
    text = CONFIGURATION.read_text()
    addresses = [f"server replica{index} 127.0.0.1:{port} check port {admin}" for index, (port, admin) in enumerate(replicas, 1)]
    changes = [
        (r"server-template replica .*", "\n    ".join(addresses)),
        (r"bind :8080$", f"bind 127.0.0.1:{ports[0]}"),
        (r"bind :8443 ", f"bind 127.0.0.1:{ports[1]} "),
        (r"bind :8405$", f"bind 127.0.0.1:{ports[2]}"),
        (r"/certificates/revq\.pem", str(certificate)),
    ]
    for pattern, replacement in changes:
        text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
        if count != 1:
            raise ValueError(f"{CONFIGURATION} has {count} lines with {pattern!r}, not one")
    return text


@contextlib.contextmanager
def haproxy(replicas):
    with tempfile.TemporaryDirectory() as folder:
        file, certificate = pathlib.Path(folder, "haproxy.cfg"), _certificate(pathlib.Path(folder))
        ports = [free_port() for _ in range(3)]
        file.write_text(configuration(replicas, ports, certificate))
        log = (pathlib.Path(folder) / "log").open("w+")
        process = subprocess.Popen([executable(), "-db", "-f", str(file)], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield Balancer(process, ports)
        finally:
            process.kill()
            process.wait()
            log.close()


def _certificate(folder):
    """A key and a certificate of this machine's own, in one file."""
    key, certificate, both = folder / "key.pem", folder / "certificate.pem", folder / "revq.pem"
    options = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost -keyout {key} -out {certificate}"
    subprocess.run(["openssl", *options.split()], check=True, capture_output=True)
    both.write_bytes(certificate.read_bytes() + key.read_bytes())
    return both
