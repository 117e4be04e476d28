"""One visit to a page: what it loaded, what it said, and what stands in it."""

from __future__ import annotations

import base64
import io
import os
import shutil
import time

from PIL import Image

# From apt: Playwright's own browsers are not downloaded.
CHROMIUM = os.environ.get("REVQ_CHROMIUM") or shutil.which("chromium")

_CONTRAST = """
() => {
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const pen = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const parsed = (text) => {
    pen.clearRect(0, 0, 1, 1);
    pen.fillStyle = text;
    pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return { luminance: 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255), isOpaque: a === 255, isClear: a === 0 };
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = parsed(getComputedStyle(at).backgroundColor);
      if (!found.isClear) return found;
    }
    return parsed('white');
  };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest('noscript, option, [aria-hidden], :disabled')) continue;
    if (element.closest('label')?.querySelector(':disabled')) continue;
    const style = getComputedStyle(element);
    const [ink, paper] = [parsed(style.color).luminance, ground(element).luminance];
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) bad.push(`${ratio.toFixed(2)} for "${walker.currentNode.data.trim().slice(0, 30)}"`);
  }
  return bad;
}
"""

_STRUCTURE = """
() => {
  const bad = [];
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  ids.filter((id, index) => ids.indexOf(id) !== index).forEach((id) => bad.push(`two elements with the id ${id}`));
  for (const name of ['aria-labelledby', 'aria-describedby', 'for']) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      element.getAttribute(name).split(' ').filter((id) => !document.getElementById(id)).forEach((id) => bad.push(`${name} of nothing: ${id}`));
    }
  }
  if (!document.documentElement.lang) bad.push('no language');
  for (const name of ['main', 'h1']) if (document.querySelectorAll(name).length !== 1) bad.push(`not one ${name}`);
  for (const image of document.querySelectorAll('img:not([alt])')) bad.push(`no words for ${image.src}`);
  for (const element of document.querySelectorAll('[tabindex]')) if (element.tabIndex > 0) bad.push('an order of its own for Tab');
  return bad;
}
"""


class Visit:
    """A page in a browser that has seen nothing before.

    `page` is Playwright's. `bytes` counts what came over the network, heads included.
    """

    def __init__(self, browser, origin, path, *, reduced_motion="reduce", **options):
        # Frames that nobody looks at cost a small machine the most.
        self.context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion=reduced_motion, **options)
        self.page, self.origin = self.context.new_page(), origin
        self.addresses, self.faults, self.bytes = [], [], 0
        self.tolerated = ()
        self.page.on("request", lambda request: self.addresses.append(request.url))
        self.page.on("console", lambda message: self.faults.append(message.text) if message.type in ("error", "warning") else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        network = self.context.new_cdp_session(self.page)
        network.send("Network.enable")
        network.on("Network.loadingFinished", self._finished)
        self.page.goto(origin + path)
        if path == "/":
            self.settle()

    def _finished(self, event):
        self.bytes += event["encodedDataLength"]

    def close(self):
        self.context.close()
        elsewhere = [address for address in self.addresses if not address.startswith((self.origin + "/", "blob:" + self.origin, "data:"))]
        assert not elsewhere, f"loaded from elsewhere: {elsewhere}"
        faults = [fault for fault in self.faults if not any(word in fault for word in self.tolerated)]
        assert not faults, faults

    def tolerate(self, *words):
        """The browser itself complains of answers that are no success: those with these words are meant."""
        self.tolerated += words

    def until(self, script, argument=None, seconds=20):
        """Waits until a script says true. Playwright's own way evaluates text in the page, which the pages' policy forbids."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(script, argument):
            assert time.monotonic() < end, f"in vain for {seconds} s: {script}"
            self.page.wait_for_timeout(40)

    def settle(self, rows=3):
        """Waits until the figures of a picture are there, those of JPEG among them."""
        self.until(f"document.querySelectorAll('#rows tr').length >= {rows} && !document.body.hasAttribute('aria-busy')")

    def choose(self, file):
        self.page.set_input_files("#file", file)

    def said(self, words, where="#progress"):
        """Waits until the page says this."""
        try:
            self.until("([where, words]) => document.querySelector(where).textContent.includes(words)", [where, words])
        except AssertionError as error:
            raise AssertionError(f"{where} says {self.page.text_content(where)!r}, not {words!r}; faults: {self.faults}") from error
        return self.page.text_content(where)

    def complaint(self, words):
        return self.said(words, "#trouble")

    def table(self, where, columns=2):
        """The first columns of a table's rows."""
        cells = self.page.eval_on_selector_all(f"{where} tr", "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))")
        return [row[:columns] for row in cells]

    def figures(self):
        """The rows of the table of figures."""
        return self.table("#rows", 4)

    def pixels(self, side):
        """What a canvas of the comparison shows."""
        url = self.page.eval_on_selector(f"#stage .{side}", "canvas => canvas.toDataURL()")
        return Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGB")

    def tokens(self):
        return self.page.eval_on_selector_all("#map [role=option]", "cells => cells.map(cell => Number(cell.firstChild.data))")

    def focused(self):
        script = "document.activeElement.id || document.activeElement.textContent.trim() || document.activeElement.ariaLabel || ''"
        return self.page.evaluate(script)

    def overflow(self):
        """How many pixels the page is wider than its window."""
        return self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")

    def faint(self):
        """Texts with too little contrast to their ground (WCAG 2.2, 1.4.3)."""
        return self.page.evaluate(_CONTRAST)

    def unsound(self):
        """What is wrong with the page's structure."""
        return self.page.evaluate(_STRUCTURE)

    def nameless(self):
        """Whatever can be operated and has no name for a screen reader, as the browser tells one."""
        session = self.context.new_cdp_session(self.page)
        nodes = session.send("Accessibility.getFullAXTree")["nodes"]
        operable = {"button", "link", "textbox", "spinbutton", "slider", "combobox", "listbox", "option", "checkbox", "radio", "image", "figure"}
        roles = [node["role"]["value"] for node in nodes if not node["ignored"] and not node.get("name", {}).get("value")]
        return [role for role in roles if role in operable]
