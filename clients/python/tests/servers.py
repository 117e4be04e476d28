"""Servers to test against: the real one, and one that answers as it is told."""

from __future__ import annotations

import http.server
import io
import json
import os
import queue
import subprocess
import threading

import numpy as np
from PIL import Image

# Longer than anything takes that does not hang.
_SECONDS = 60


class RealServer:
    """revq-server on a free port, which it tells in its log; so is what it has loaded."""

    def __init__(self, executable, checkpoints, *flags):
        command = [executable, "--checkpoints", checkpoints, "--port", "0", "--log-format", "json", *flags]
        # REVQ_… are settings to the server, and it refuses those that it does not know.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("REVQ_")}
        self._process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
        )
        self._lines = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            self.url = self._await("listening")["url"]
            self._await("checkpoint loaded")
        except BaseException:
            self.__exit__()
            raise

    def await_version(self, number):
        while self._await("checkpoint loaded")["step"] != str(number):
            pass

    def _await(self, message):
        last = ""
        while line := self._lines.get(timeout=_SECONDS):
            if line.get("message") == message:
                return line
            last = line.get("message")
        raise AssertionError(f"the server ended before it said {message!r}: {last}")

    def _read(self):
        for line in self._process.stderr:
            try:
                self._lines.put(json.loads(line))
            except ValueError:
                self._lines.put({"message": line})
        self._lines.put(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        self._process.wait(_SECONDS)
        self._reader.join()
        self._process.stderr.close()


class Script:
    """Answers in turn, the last of them for ever. One is (status, headers, body), or a function of the request's path and body that gives
    one; None closes the connection without a word."""

    def __init__(self, answers):
        self._answers, self._lock = list(answers), threading.Lock()

    def next(self):
        with self._lock:
            return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class ScriptedServer:
    """`requests` has what came: (method, path, headers)."""

    def __init__(self, script):
        self.requests = requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                requests.append((self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
                answer = script.next()
                answer = answer(self.path, body) if callable(answer) else answer
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, content = answer
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        # A client that has gone is what some tests are about.
        self._server.handle_error = lambda *_: None
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


# Answers.

HTML = "<html><body><h1>404 Not Found</h1><hr>nginx</body></html>"


def tokens(values=(1, 2, 3), fingerprint="aa", version=1):
    file = io.BytesIO()
    np.save(file, np.array(values, "<i4"))
    return 200, {"Content-Type": "application/x-npy", "Revq-Fingerprint": fingerprint, "Revq-Version": str(version)}, file.getvalue()


def png():
    file = io.BytesIO()
    Image.new("RGB", (4, 4), (9, 8, 7)).save(file, "PNG")
    return 200, {"Content-Type": "image/png"}, file.getvalue()


def problem(status, code, detail="something", **headers):
    document = {"type": f"urn:revq:problem:{code}", "title": "A title", "status": status, "detail": detail, "code": code}
    document |= {"request_id": "r1", "retryable": status in (429, 503)}
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"Content-Type": "application/problem+json", **headers}, json.dumps(document).encode()


def html(status, **headers):
    return status, {"Content-Type": "text/html; charset=utf-8", **headers}, HTML.encode()
