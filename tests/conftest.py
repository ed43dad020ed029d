"""Hypothesis draws the same examples in every run, so that the suite is green or red for everybody alike.

The default suite draws a share of each property's examples; ``-m integration`` runs every property again,
with all of them.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings
from tiers import FULL, SHARE, slow_tests

if TYPE_CHECKING:
    from chromium import Page

_DEFAULT = "not integration and not release"


def pytest_configure(config: pytest.Config) -> None:
    """Choose the number of examples before any test module is read; see that interrupts can be tested."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # in the background of a shell; children inherit it
        signal.signal(signal.SIGINT, signal.default_int_handler)
    default = config.option.markexpr == _DEFAULT
    settings.register_profile(
        "gdsim",
        max_examples=FULL // SHARE if default else FULL,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("gdsim")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave slow tests to ``-m integration``, and let it select the properties, those of a release apart."""
    slow = slow_tests()
    for item in items:
        if item.nodeid in slow:
            item.add_marker("integration")
    if config.option.markexpr != "integration":
        return
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False) and not _is_release(item):
            item.add_marker("integration")


def _is_release(item: pytest.Item) -> bool:
    return item.get_closest_marker("release") is not None


def pytest_collection_finish() -> None:
    """Keep what collecting made out of every later search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="module")
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """All workers of a test run share what they compile, and leave nothing in the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        base = tmp_path_factory.getbasetemp()
        folder = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
        patch.setenv("GDSIM_CACHE_DIR", str(folder / "compiled"))
        yield


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """One Chromium for each process of the test run."""
    from chromium import Page, chromium

    folder = tmp_path_factory.mktemp("pages")
    with chromium(folder) as driver:
        yield Page(driver, folder)


@pytest.fixture
def page(browser: Page) -> Iterator[Page]:
    """A page that is opened in it: it must not complain, and not ask for anything."""
    browser.size(1280, 900)
    yield browser
    assert browser.complaints() == []
    assert browser.requests() == []
