"""A Chromium for the tests of pages: without a network, without a profile, without a word of its own.

It is Debian's browser with its driver, steered by selenium; tests that use it skip where one is missing.
Its fixtures, ``browser`` and ``page``, stand in ``conftest.py``.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or ""
DRIVER = shutil.which("chromedriver") or ""
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--lang=en",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
    "--disable-dev-shm-usage", "--disable-default-apps", "--disable-extensions",
)  # fmt: skip
SECONDS = 10.0
NEEDS_CHROMIUM = pytest.mark.skipif(
    not (BROWSER and DRIVER and find_spec("selenium")), reason="chromium, chromedriver or selenium is missing"
)


@contextmanager
def chromium(downloads: Path) -> Iterator[Any]:
    """Start a browser that saves files to a folder, and end it."""
    os.environ["SE_OFFLINE"] = "true"
    from selenium import webdriver
    from selenium.webdriver.chrome.options import Options
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = Options()
        options.binary_location = BROWSER
        for flag in (*_FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        driver = webdriver.Chrome(options=options, service=Service(DRIVER))
        try:
            driver.execute_cdp_cmd("Network.enable", {})
            driver.execute_cdp_cmd(
                "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(downloads)}
            )
            yield driver
        finally:
            driver.quit()


class Page:
    """One browser and the page that is open in it."""

    def __init__(self, driver: Any, folder: Path) -> None:
        self.driver = driver
        self.folder = folder

    def open(self, html: str, fragment: str = "", name: str = "page.html") -> None:
        file = self.folder / name
        file.write_text(html, encoding="utf-8")
        self.visit(file.as_uri() + fragment)

    def visit(self, address: str) -> None:
        self.driver.get("about:blank")
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)
        self.driver.get(address)
        self.until("return document.querySelector('.lab, .told') !== null")
        self.script("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")

    def script(self, text: str, *arguments: Any) -> Any:
        return self.driver.execute_script(text, *arguments)

    def until(self, condition: str, *arguments: Any) -> Any:
        end = time.monotonic() + SECONDS
        while True:
            found = self.script(condition, *arguments)
            if found:
                return found
            assert time.monotonic() < end, condition
            time.sleep(0.02)

    def text(self, selector: str) -> str:
        return str(self.script("return document.querySelector(arguments[0]).innerText", selector))

    def find(self, selector: str) -> Any:
        from selenium.webdriver.common.by import By

        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def kind(self) -> str:
        return str(self.script("return document.querySelector('.verdict').dataset.kind"))

    def until_kind(self, kind: str) -> None:
        self.until("return document.querySelector('.verdict').dataset.kind === arguments[0]", kind)

    def press(self, selector: str, *keys: str) -> None:
        self.find(selector).send_keys(*keys)

    def enter(self, selector: str, text: str) -> None:
        from selenium.webdriver.common.keys import Keys

        self.script("document.querySelector(arguments[0]).value = ''", selector)
        self.press(selector, text, Keys.ENTER)

    def size(self, width: int, height: int, dark: bool = False) -> None:
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """The addresses that were asked for, but for the page itself and what it made."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        asked = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        return [one for one in asked if not one.startswith(("file:", "blob:", "about:", "data:"))]

    def saved(self, button: str, name: str) -> bytes:
        """Press a button and return the file that it saves."""
        target = self.folder / name
        target.unlink(missing_ok=True)
        self.script(
            "[...document.querySelectorAll('.exports button')]"
            ".find((one) => one.textContent === arguments[0]).click()",
            button,
        )
        end = time.monotonic() + SECONDS
        while not (
            target.exists() and target.stat().st_size
        ):  # the browser holds its place, empty, before it
            assert time.monotonic() < end, f"{name} was not saved"
            time.sleep(0.02)
        return target.read_bytes()
