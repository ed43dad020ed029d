"""The site: it builds without a warning, has every page, and needs no network."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import reference

import gdsim
from gdsim.derivatives import METHODS
from gdsim.outcomes import CRITICAL_KINDS, VERDICT_KINDS, Status
from gdsim.plots import SWEEP_PLOTS

PAGES = {page.name: page.read_text(encoding="utf-8") for page in reference.pages()}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The pages of the site by name."""
    pytest.importorskip("furo")
    folder = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "sphinx",
        "-q",
        "-W",
        "-n",
        "--keep-going",
        str(reference.DOCS),
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {page.name: page.read_text(encoding="utf-8") for page in folder.glob("*.html")}


@pytest.mark.integration
def test_the_site_builds_without_a_warning_and_has_every_page(site: Mapping[str, str]) -> None:
    # a page that no toctree has is a warning
    assert {Path(name).stem for name in PAGES} <= {Path(name).stem for name in site}


@pytest.mark.integration
def test_every_command_of_the_gallery_has_its_picture_with_words_for_it(site: Mapping[str, str]) -> None:
    pictures = re.findall(r'<img alt="([^"]*)" src="_images/', site["gallery.html"])
    assert len(pictures) >= PAGES["gallery.md"].count("```console")
    assert all(len(words) > 60 for words in pictures)


@pytest.mark.integration
def test_formulas_are_mathml_and_nothing_is_fetched(site: Mapping[str, str]) -> None:
    assert site["mathematics.html"].count("<math ") > 50
    for page in site.values():
        assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?:https?:)?//[^"]+', page)


def test_every_name_of_the_facade_is_in_the_reference() -> None:
    documented = re.findall(r"^\.\. auto\w+:: (gdsim\.\S+)$", PAGES["api.md"], re.MULTILINE)
    assert {f"gdsim.{name}" for name in gdsim.__all__} <= {*documented}


@pytest.mark.parametrize(
    ("names", "page"),
    [
        (Status, "simulation.md"),
        (VERDICT_KINDS, "verdicts.md"),
        (CRITICAL_KINDS, "critical-points.md"),
        (METHODS, "derivatives.md"),
        (SWEEP_PLOTS, "figures.md"),
    ],
    ids=["statuses", "verdicts", "critical points", "derivatives", "figures of sweeps"],
)
def test_what_no_table_is_written_for_is_explained(names: object, page: str) -> None:
    assert [name for name in names if f"`{name}`" not in PAGES[page]] == []  # type: ignore[attr-defined]


def test_every_page_is_in_the_table_of_the_readme() -> None:
    readme = (reference.DOCS.parent / "README.md").read_text(encoding="utf-8")
    only_site = {"index.md", "api.md"}
    assert [name for name in PAGES if name not in only_site and f"(docs/{name})" not in readme] == []


def test_links_between_pages_lead_somewhere() -> None:
    for name, text in PAGES.items():
        for target in re.findall(r"\]\(([^)\s#]+\.md)", text):
            assert target in PAGES, f"{name}: {target}"
