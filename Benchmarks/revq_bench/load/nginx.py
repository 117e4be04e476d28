"""nginx that answers 200 with what /livez answers, for comparison; None where it is not installed (`apt-get install nginx-light`)."""

import contextlib
import pathlib
import shutil
import subprocess
import tempfile

from . import usage
from .server import free_port

_CONFIGURATION = """
daemon off; master_process off; worker_processes 1; pid {folder}/pid; error_log {folder}/error;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c; uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{ listen 127.0.0.1:{port} {protocol}; location / {{ default_type application/json; return 200 '{{"status":"alive"}}'; }} }}
}}
"""


def executable():
    return shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")


@contextlib.contextmanager
def nginx(protocol=""):
    """Its port and the clock of its CPU; one process, as `master_process off` makes it. With `http2` it speaks that and nothing else."""
    with tempfile.TemporaryDirectory() as folder:
        port, file = free_port(), pathlib.Path(folder) / "nginx.conf"
        file.write_text(_CONFIGURATION.format(folder=folder, port=port, protocol=protocol))
        process = subprocess.Popen([executable(), "-c", str(file), "-e", f"{folder}/error"], stderr=subprocess.DEVNULL)
        try:
            yield port, lambda: usage.cpu_seconds(process.pid)
        finally:
            process.terminate()
            process.wait()
