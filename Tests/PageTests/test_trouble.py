"""What goes wrong is one sentence in the page."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize(
    "content, words",
    [
        (b"no picture", "format is not supported"),
        (b"", "file.jpg is empty."),
        (b"\xff\xd8\xff\xe0 cut off", "cut off"),
        (b'{"tokens": "none"}', "holds no tokens"),
        (b'{"tokens": [1, 2], "fingerprint": "8ef7f94ab80815d979b55bff060ed2f0"}', "number of tokens is wrong"),
    ],
)
def test_a_bad_file_is_refused_and_the_picture_stays(visit, tmp_path, content, words):
    visit = visit()
    visit.tolerate("status of 4")
    before = visit.figures()
    (tmp_path / "file.jpg").write_bytes(content)
    visit.choose(tmp_path / "file.jpg")
    visit.complaint(words)
    assert visit.figures() == before


def test_what_is_dropped_and_no_file_is_said(visit):
    visit = visit()
    visit.page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.setData('text/uri-list', 'https://example.org/cat.jpg');
          document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    visit.complaint("no file")


def test_tokens_of_no_version_that_is_held_are_refused(visit, tmp_path):
    visit = visit()
    visit.tolerate("status of 409")
    (tmp_path / "tokens.json").write_text(json.dumps({"tokens": [0] * 512, "fingerprint": "0" * 32}))
    visit.choose(tmp_path / "tokens.json")
    visit.complaint("no longer holds")


def test_a_file_beyond_the_limit_is_not_sent(visit, start, tmp_path):
    visit = visit(of=start("--max-image-bytes", "100000"))
    (tmp_path / "large.jpg").write_bytes(b"\xff\xd8" + bytes(200_000))
    visit.choose(tmp_path / "large.jpg")
    visit.complaint("large.jpg has 200 kB; the server takes pictures of up to 100 kB.")


def test_a_swap_under_the_page_is_said_and_leads_on(visit, start):
    server = start("--resident-versions", "1")
    visit = visit(of=server)
    visit.tolerate("status of 409")
    server.swap()
    visit.page.click("#map [data-index='3']")
    visit.page.click("[data-edit=randomise]")
    visit.complaint("The server has gone on to another version")
    visit.page.click("#trouble button")
    visit.said("rocket.jpg went through")
    visit.until("document.querySelector('#bits').textContent.includes('default, version 7')")
    assert not visit.page.is_visible("#trouble")


def test_a_version_that_is_still_held_goes_on(visit, start):
    server = start()
    visit = visit(of=server)
    server.swap()
    visit.page.click("#map [data-index='3']")
    visit.page.click("[data-edit=randomise]")
    visit.said("1 token is changed")


def test_a_busy_server_is_asked_again_when_it_said(visit):
    visit = visit()
    visit.tolerate("status of 429")
    busy = {"title": "The server is busy", "status": 429, "detail": "64 are in progress", "code": "overloaded"}
    answers = iter([429])

    def answer(route):
        if next(answers, None):
            route.fulfill(status=429, content_type="application/problem+json", headers={"Retry-After": "1"}, body=json.dumps(busy))
        else:
            route.continue_()

    visit.page.route("**/encode*", answer)
    visit.page.evaluate(
        """() => {
          window.heard = [];
          const progress = document.getElementById('progress');
          new MutationObserver(() => window.heard.push(progress.textContent)).observe(progress, { childList: true });
        }"""
    )
    visit.page.click("[data-example=cat]")
    visit.said("cat.jpg went through")
    assert "The server is busy. Trying again in 1 s …" in visit.page.evaluate("window.heard")


def test_a_proxys_own_page_is_no_answer(visit):
    visit = visit()
    visit.tolerate("status of 502")
    visit.page.route("**/encode*", lambda route: route.fulfill(status=502, content_type="text/html", body="<html><h1>Bad Gateway</h1></html>"))
    visit.page.click("[data-example=cat]")
    visit.complaint("Something in front of the server answered 502 with a page of its own")
    visit.page.unroute("**/encode*")
    visit.page.click("#trouble button")
    visit.said("cat.jpg went through")


def test_no_server_is_said(visit):
    visit = visit()
    visit.tolerate("ERR_FAILED", "ERR_CONNECTION")
    visit.page.route("**/decode", lambda route: route.abort())
    visit.page.click("[data-example=cat]")
    visit.complaint("does not answer. Is it running?")


def test_another_server_is_said(visit):
    visit = visit()
    visit.page.route("**/encode*", lambda route: route.fulfill(status=200, content_type="application/json", body='{"hello": 1}'))
    visit.page.click("[data-example=cat]")
    visit.complaint("is no revq server.")
