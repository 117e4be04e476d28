"""Whatever stands in a server's place, or a proxy in front of it, says."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading

import httpx
import pytest

import revq
from revq.connections import Direct, ThroughHTTPX
from servers import HTML, html, png, problem, tokens

JPEG = b"\xff\xd8\xff"


@pytest.fixture(params=[Direct, ThroughHTTPX])
def client(request):
    """Makes a tokenizer that uses the one or the other kind of connection, and notes in `pauses` how long it would have slept."""
    pauses, made = [], []

    def make(url, **options):
        tokenizer = revq.Tokenizer(url, **options)
        twin = tokenizer._twin
        made.append(tokenizer)

        def connected():
            loop = asyncio.get_running_loop()
            if twin._transport is None:
                twin._loop, twin._transport = loop, request.param(twin._protocol.origin)
            return twin._transport

        async def sleep(seconds):
            pauses.append(seconds)

        twin._connected, twin._sleep, twin._chance = connected, sleep, lambda: 0.0
        return tokenizer

    make.pauses = pauses
    yield make
    for tokenizer in made:
        tokenizer.close()


@contextlib.contextmanager
def talking(words, speaks_first=False):
    """A listener that says `words` to whoever connects, at once or when it was asked something, and hangs up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk():
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection:
                        if not speaks_first:
                            connection.recv(65536)
                        connection.sendall(words)
                        if speaks_first:
                            connection.recv(65536)

        threading.Thread(target=talk, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)


def unused():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}"


def sentence(error):
    """Its text, which has to be one line that no markup got into."""
    text = str(error.value)
    assert "\n" not in text and "<" not in text and len(text) < 300
    return text


def test_no_server(client):
    url = unused()
    with pytest.raises(revq.NoServer) as caught:
        client(url).encode(JPEG)
    assert sentence(caught).startswith(f"no server answers at {url}: ")
    # Nothing ever answered there: the address is wrong, and waiting helps nobody.
    assert client.pauses == []


def test_no_such_host(client):
    with pytest.raises(revq.NoServer, match=r"no server answers at http://nobody\.invalid"):
        client("http://nobody.invalid").info()


@pytest.mark.parametrize("answer", [html(404), html(200), (200, {"Content-Type": "application/json"}, b'{"ok": true}'), (200, {}, b"")])
def test_a_wrong_server(client, scripted, answer):
    server = scripted(answer)
    for ask in (lambda t: t.encode(JPEG), lambda t: t.info(), lambda t: t.decode([1], "aa"), lambda t: t.reconstruct(JPEG)):
        with pytest.raises(revq.WrongServer) as caught:
            ask(client(server.url))
        assert sentence(caught).startswith(f"{server.url} is no revq server")
    assert client.pauses == []


@pytest.mark.parametrize("body", [b"", b"\x93NUMPY\x01\x00\x05\x00{}", b"\x93NUMPY\x01\x00v\x00" + 118 * b" ", tokens()[2][:-3], HTML.encode()])
def test_an_array_that_is_none(client, scripted, body):
    status, headers, _ = tokens()
    with pytest.raises(revq.WrongServer, match="body of another form"):
        client(scripted((status, headers, body)).url).encode(JPEG)


def test_tokens_without_a_fingerprint(client, scripted):
    status, headers, body = tokens()
    del headers["Revq-Fingerprint"]
    with pytest.raises(revq.WrongServer, match="without a fingerprint"):
        client(scripted((status, headers, body)).url).encode(JPEG)


@pytest.mark.parametrize("document", [[], {"models": 3}, {"models": [{"model": "a", "default": True, "versions": []}]}])
def test_models_of_another_form(client, scripted, document):
    answer = (200, {"Content-Type": "application/json"}, json.dumps(document).encode())
    with pytest.raises(revq.WrongServer, match="of another form"):
        client(scripted(answer).url).info()


def test_a_server_without_a_checkpoint(client, scripted):
    answer = (200, {"Content-Type": "application/json"}, b'{"models": []}')
    with pytest.raises(revq.Overloaded, match="no checkpoint loaded yet"):
        client(scripted(answer).url).info()


def test_a_broken_png(client, scripted):
    status, headers, body = png()
    with pytest.raises(revq.Error, match="broken PNG"):
        client(scripted((status, headers, body[:-30])).url).decode([1], "aa")


@pytest.mark.parametrize("speaks_first", [True, False])
@pytest.mark.parametrize("words", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\x15\x03\x03\x00\x02\x02\x46"])
def test_what_speaks_no_http(words, speaks_first):
    with (
        talking(words, speaks_first) as url,
        revq.Tokenizer(url) as tokenizer,
        pytest.raises(revq.WrongServer, match="does not speak HTTP") as caught,
    ):
        tokenizer.info()
    sentence(caught)


def test_retry_after_is_kept_to(client, scripted):
    server = scripted(problem(429, "overloaded", Retry_After="3"), problem(503, "not_ready", Retry_After="1"), tokens())
    assert client(server.url).encode(JPEG).tolist() == [[1, 2, 3]]
    assert client.pauses == [3.0, 1.0]


def test_patience_ends(client, scripted):
    server = scripted(problem(429, "overloaded", Retry_After="4"))
    with pytest.raises(revq.Overloaded) as caught:
        client(server.url, patience=revq.Patience(seconds=10)).encode(JPEG)
    assert client.pauses == [4.0, 4.0]
    assert "is overloaded: after 3 tries, 8 s of waiting it asks for 4 s more" in sentence(caught)
    assert (caught.value.code, caught.value.status) == ("overloaded", 429)


def test_a_proxy_while_the_server_behind_it_restarts(client, scripted):
    server = scripted(html(502), html(503), html(504), tokens())
    assert client(server.url).encode(JPEG).tolist() == [[1, 2, 3]]
    assert client.pauses == [0.05, 0.1, 0.2]


def test_a_proxy_without_a_server_behind_it(client, scripted):
    server = scripted(html(502))
    with pytest.raises(revq.WrongServer, match="was answered with 502 and a body text/html") as caught:
        client(server.url).encode(JPEG)
    sentence(caught)
    assert len(server.requests) == 6


def test_a_lost_connection_is_tried_again(client, scripted):
    server = scripted(None, None, tokens())
    assert client(server.url).encode(JPEG).tolist() == [[1, 2, 3]]
    assert len(server.requests) == 3


def test_a_connection_that_is_always_lost(client, scripted):
    server = scripted(None)
    with pytest.raises(revq.NoServer, match=r"\(6 tries\)") as caught:
        client(server.url).encode(JPEG)
    sentence(caught)


def test_a_server_that_does_not_answer(client, scripted):
    ends = threading.Event()
    try:
        server = scripted(lambda *_: ends.wait(30) and None)
        with pytest.raises(revq.NoServer, match=r"no answer within 0\.1 s"):
            client(server.url, timeout=0.1).encode(JPEG)
        assert server.requests[0][2]["x-request-timeout-ms"] == "100"
        assert client.pauses == []
    finally:
        ends.set()


def test_a_refusal_that_waiting_does_not_mend(client, scripted):
    server = scripted(problem(503, "image_out_of_memory", "too much"))
    with pytest.raises(revq.TooLarge, match="picture 0: too much"):
        client(server.url).encode(JPEG)
    assert len(server.requests) == 1


def test_what_the_server_does_not_say_more_of(client, scripted):
    server = scripted(problem(500, "engine_failed", "it broke"))
    with pytest.raises(revq.Error, match="it broke") as caught:
        client(server.url).encode(JPEG)
    assert (caught.value.code, caught.value.status) == ("engine_failed", 500)
    assert (caught.value.request_id, caught.value.retryable) == ("r1", False)


def test_requests_carry_what_they_should(client, scripted):
    server = scripted(tokens())
    client(server.url + "/below", model="a b", headers={"Authorization": "Bearer x"}).encode(JPEG)
    server_png = scripted(png())
    client(server_png.url).decode([300, 2], "aa")
    method, path, headers = server.requests[0]
    assert (method, path) == ("POST", "/below/encode?model=a%20b")
    assert (headers["authorization"], headers["content-type"], headers["accept"]) == ("Bearer x", "image/jpeg", "application/x-npy")
    _, path, headers = server_png.requests[0]
    assert (path, headers["content-type"], headers["revq-fingerprint"]) == ("/decode", "application/x-npy", "aa")


def test_an_answer_in_chunks(client):
    _status, headers, body = tokens()
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:50], body[50:])) + b"0\r\n\r\n"
    with talking(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + head.encode() + b"\r\n" + chunks) as url:
        assert client(url).encode(JPEG).tolist() == [[1, 2, 3]]


def test_an_error_that_is_no_pictures_fault_ends_all(client, scripted):
    server = scripted(problem(500, "internal_error", "it broke"))
    with pytest.raises(revq.Error, match="it broke"):
        list(client(server.url).encode_each([JPEG] * 5))


def test_a_server_that_is_gone_between_two_calls(client, scripted):
    server = scripted(tokens(), None)
    tokenizer = client(server.url, patience=revq.Patience(failures=2))
    tokenizer.encode(JPEG)
    server.close()
    with pytest.raises(revq.NoServer):
        tokenizer.encode(JPEG)


def test_https_and_proxies_go_through_httpx(monkeypatch):
    from revq.connections import transport
    from revq.protocol import Protocol

    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    async def kind(url):
        made = transport(Protocol(url, None, {}, 1))
        await made.close()
        return type(made)

    assert asyncio.run(kind("http://a")) is Direct
    assert asyncio.run(kind("https://a")) is ThroughHTTPX
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    assert asyncio.run(kind("http://a")) is ThroughHTTPX
    monkeypatch.setenv("no_proxy", "a")
    assert asyncio.run(kind("http://a")) is Direct


def test_httpx_has_the_errors_that_are_told_apart():
    assert issubclass(httpx.ConnectError, httpx.TransportError) and issubclass(httpx.RemoteProtocolError, httpx.TransportError)
