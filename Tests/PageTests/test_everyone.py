"""The pages for everyone: by keyboard alone, through a screen reader, in the dark, on a phone, without motion."""

from __future__ import annotations

import pytest

PAGES = ["/", "/docs", "/status"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_everything_has_a_name_and_can_be_read(visit, path, scheme):
    visit = visit(path, color_scheme=scheme)
    if path == "/status":
        visit.page.wait_for_selector("#models tr")
    if path == "/":
        visit.page.click("#map [data-index='3']")
        visit.page.click("[data-edit=randomise]")
        visit.said("1 token is changed")
        visit.page.click("#copy-curl")
    assert visit.nameless() == []
    assert visit.unsound() == []
    assert visit.faint() == []


def test_dark_is_dark(visit):
    grounds = []
    for scheme in ("light", "dark"):
        page = visit("/status", color_scheme=scheme).page
        grounds.append(page.evaluate("getComputedStyle(document.documentElement).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)"))
    assert min(grounds[0]) > 200 and max(grounds[1]) < 50


@pytest.mark.parametrize("path", PAGES)
def test_a_phone_is_wide_enough(visit, path):
    visit = visit(path)
    visit.page.set_viewport_size({"width": 360, "height": 740})
    if path == "/":
        visit.page.click("#copy-python")
    visit.page.wait_for_timeout(100)
    assert visit.overflow() == 0
    assert visit.page.locator("header nav >> text=Status").is_visible()


def test_less_motion_is_none(visit):
    moves = "getComputedStyle(document.getElementById('progress')).animationName"
    for motion, name in (("reduce", "none"), ("no-preference", "breathe")):
        page = visit(reduced_motion=motion).page
        page.evaluate("document.body.setAttribute('aria-busy', 'true')")
        assert page.evaluate(moves) == name


def tab_to(visit, name):
    for _ in range(60):
        visit.page.keyboard.press("Tab")
        if name in visit.focused():
            return
    raise AssertionError(f"Tab does not lead to {name}")


def test_the_keyboard_alone_does_it_all(visit):
    visit = visit()
    press = visit.page.keyboard.press
    press("Tab")
    assert visit.focused() == "To the picture"
    tab_to(visit, "file")
    tab_to(visit, "A cat’s face")
    outline = visit.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    press("Enter")
    visit.said("cat.jpg went through")
    visit.settle()
    tab_to(visit, "Divider between")
    press("ArrowLeft")
    assert visit.page.get_attribute("#stage input", "aria-valuetext").startswith("49 % Original")
    tokens = visit.tokens()
    tab_to(visit, str(tokens[0]))
    press("ArrowRight")
    press("ArrowDown")
    chosen = visit.page.evaluate("Number(document.activeElement.dataset.index)")
    columns = chosen - 1
    top = "index => document.querySelector(`#map [data-index='${index}']`).getBoundingClientRect()"
    below, above = visit.page.evaluate(top, chosen), visit.page.evaluate(top, 1)
    assert below["left"] == above["left"] and columns > 5
    press("Enter")
    assert visit.focused() == "value"
    visit.page.keyboard.type("77")
    press("Enter")
    visit.said("1 token is changed")
    press("Shift+Tab")
    tab_to(visit, "77")
    press("Shift+ArrowRight")
    assert visit.page.text_content("#selected") == "2 tokens are selected."
    press("r")
    visit.said("2 tokens are changed")
    press("Control+a")
    assert visit.page.text_content("#selected") == "512 tokens are selected."
    press("Escape")
    assert visit.page.text_content("#selected") == "No token is selected."
