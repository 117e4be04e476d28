"""The interface and the state of the server, for people."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request

import pytest

TOKENIZER = ["encode", "decode", "reconstruct", "models", "info", "livez", "readyz", "metrics"]
FORMS = [*TOKENIZER, "inferenceServer", "inferenceLive", "inferenceReady", "playground", "docs", "statusPage", "interface"]


def test_every_example_of_the_interface_runs(visit):
    visit = visit("/docs")
    assert visit.page.eval_on_selector_all(".operation:has(form)", "all => all.map(one => one.id)") == FORMS
    for name in FORMS:
        form = visit.page.locator(f"#{name} form")
        if name == "decode":
            form.locator(".fill").click()
            visit.until("document.querySelector('#decode textarea').value.length > 1000")
        form.locator("button.primary").click()
        form.locator(".outcome summary").wait_for()
        assert form.locator(".outcome summary").text_content().startswith("200 OK"), name
    assert visit.page.eval_on_selector("#reconstruct .outcome img", "image => image.decode().then(() => image.naturalWidth)") == 256
    assert '"tokens"' in visit.page.text_content("#encode .outcome > pre")


def test_the_interface_refuses_in_words_and_links_to_what_is_there(visit):
    visit = visit("/docs")
    visit.tolerate("status of 404")
    visit.page.fill("#encode [name=query-model]", "none")
    visit.page.click("#encode .primary")
    visit.page.wait_for_selector("#encode .outcome summary")
    assert "unknown_model" in visit.page.text_content("#encode .outcome")
    dead = """
    [...document.querySelectorAll('a[href^="#"]')].map(link => link.hash.slice(1)).filter(id => !document.getElementById(id))
    """
    assert visit.page.evaluate(dead) == []
    links = visit.page.eval_on_selector_all("a[href]:not([href^='#'])", "links => links.map(link => link.href)")
    for link in set(links):
        with urllib.request.urlopen(link) as answer:
            assert answer.status == 200


def test_the_state_of_the_server_is_shown_and_follows_it(visit, start, photographs):
    server = start()
    visit = visit("/status", of=server)
    visit.said("Ready.", "#verdict")
    picture = (photographs / "rocket.jpg").read_bytes()
    for body, status in ((picture, 200), (b"no picture", 415)):
        try:
            urllib.request.urlopen(urllib.request.Request(f"{server.url}/encode", data=body, headers={"Content-Type": "image/jpeg"}))
        except urllib.error.HTTPError as error:
            assert error.code == status
    visit.said("/encode", "#latency")
    visit.said("image format unsupported", "#refusals")
    row = visit.table("#latency", 3)[0]
    assert row[0] == "/encode" and row[1] == "2" and row[2].endswith(" ms")
    assert "compute" in visit.page.get_attribute("#latency .bar", "aria-label")
    server.swap()
    visit.said("default went from version 6 to 7", "#events")
    assert visit.table("#models") == [["default", "7"], ["default, still decoded", "6"]]


def test_metrics_at_another_port_are_told_of(visit, start):
    visit = visit("/status", of=start("--admin-port", "0"))
    visit.tolerate("status of 404")
    visit.complaint("--admin-port")
    visit.said("default", "#models")
    assert not visit.page.is_visible("#measured")


def test_the_port_of_health_and_metrics_has_all_of_the_state(visit, start):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    start("--admin-port", str(port))
    visit = visit("/status", at=f"http://127.0.0.1:{port}")
    visit.tolerate("status of 404")
    visit.said("In progress", "#gauges")
    assert visit.page.is_visible("#measured") and not visit.page.is_visible("#trouble")
    visit.page.wait_for_selector("nav a[href='docs']", state="hidden")


@pytest.mark.parametrize("path", ["/docs", "/status"])
def test_without_a_playground_nothing_leads_there(visit, start, path):
    visit = visit(path, of=start("--no-playground"))
    visit.tolerate("status of 404")
    visit.page.wait_for_selector("nav a[href='./']", state="hidden")
    visit.until("!document.querySelector('.mark').hasAttribute('href')")
    assert visit.page.locator("header nav a:visible").count() == 2


def test_a_server_that_ends_is_told_of(visit, start):
    server = start()
    visit = visit("/status", of=server)
    visit.tolerate("ERR_CONNECTION", "ERR_INVALID", "ERR_EMPTY")
    visit.said("Ready.", "#verdict")
    server.__exit__()
    visit.said("Not reached.", "#verdict")


def test_the_interface_for_programs_is_there(server):
    with urllib.request.urlopen(f"{server.url}/openapi.yaml") as answer:
        assert answer.read().startswith(b"openapi: 3.1.0")
    with urllib.request.urlopen(f"{server.url}/models") as answer:
        assert json.load(answer)["models"]


def test_quantiles_are_those_of_the_buckets(visit):
    text = (
        'd_bucket{route="/a",le="0.1"} 2\nd_bucket{route="/a",le="0.2"} 6\nd_bucket{route="/a",le="+Inf"} 8\n'
        'd_bucket{route="/b \\"c\\"",le="0.1"} 0\nd_bucket{route="/b \\"c\\"",le="+Inf"} 0\n'
    )
    script = """async (text) => {
      const { parse, quantile, since, sum, values } = await import('/pages/prometheus.js');
      const [all, a] = [parse(text), { route: '/a' }];
      const shares = [0.25, 0.5, 0.99].map((share) => quantile(all, 'd', a, share));
      const later = parse(text.replace('0.1"} 2', '0.1"} 4').replace('0.2"} 6', '0.2"} 8').replace('+Inf"} 8', '+Inf"} 10'));
      return {
        shares, none: quantile(all, 'd', { route: '/b "c"' }, 0.5), routes: values(all, 'd_bucket', 'route'),
        sum: sum(all, 'd_bucket', a), recent: quantile(since(later, all), 'd', a, 0.5),
      };
    }"""
    found = visit("/status").page.evaluate(script, text)
    # A quarter of 8 lies at the end of the first bucket, half of them in the middle of the second; beyond the last end nothing is known.
    assert found["shares"] == pytest.approx([0.1, 0.15, 0.2])
    assert found["none"] != found["none"]
    assert found["routes"] == ["/a", '/b "c"'] and found["sum"] == 16
    assert found["recent"] == pytest.approx(0.05)
