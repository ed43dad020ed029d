"""Wheel and source archive: the same bytes each time, all that is needed and nothing else; licences."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import time
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.machinery import SourceFileLoader
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path

import pytest
from interpreters import environment

import gdsim

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
#: what a wheel holds besides Python: styles, lessons, scenarios with their data, schemas, the page
KINDS = {".py", ".typed", ".mplstyle", ".md", ".yaml", ".json", ".csv", ".js", ".css", ".html"}
TOP = {
    ".ci", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "CITATION.cff", "CONTRIBUTING.md",
    "LICENSE", "PKG-INFO", "README.md", "configs", "docs", "gdsim", "pyproject.toml", "scenarios", "tests",
}  # fmt: skip
#: what a licence that asks nothing of a user's own work is called; see docs/licences.md for the others
PERMISSIVE = (
    r"0BSD|BSD(-\d-Clause)?|MIT(-CMU)?|Apache-2\.0|PSF-2\.0|Zlib|CC0-1\.0|BSL-1\.0|Matplotlib licence"
)
NAMED = {"python-flint": "LGPL-3.0-or-later", "imageio-ffmpeg": "GPL-3.0-or-later"}

built = pytest.mark.skipif(
    find_spec("hatchling") is None or not (ROOT / "gdsim").is_dir(), reason="needs hatchling and the checkout"
)


def build(source: Path, target: Path) -> Path:
    """Build the wheel and the source archive of a tree into a folder."""
    kept = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"}
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(target)],
        cwd=source, env=kept, check=True, capture_output=True,
    )  # fmt: skip
    return target


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(ROOT, tmp_path_factory.mktemp("archives"))


def files_of(folder: Path, *, into: str) -> Iterator[str]:
    """Yield what of a folder belongs into a wheel."""
    for path in sorted(folder.rglob("*")):
        for_developers = path.parent.name == "js" and (path.suffix == ".json" or "eslint" in path.name)
        if path.is_file() and path.suffix in KINDS and not for_developers:
            yield f"{into}/{path.relative_to(folder).as_posix()}"


@built
@pytest.mark.integration
@pytest.mark.xdist_group("distribution")
def test_a_second_build_gives_the_same_bytes(archives: Path, tmp_path: Path) -> None:
    time.sleep(2)  # archives count time in steps of two seconds
    again = build(ROOT, tmp_path)
    names = sorted(file.name for file in archives.iterdir())
    assert names == [f"gdsim-{gdsim.__version__}-py3-none-any.whl", f"gdsim-{gdsim.__version__}.tar.gz"]
    for name in names:
        assert (again / name).read_bytes() == (archives / name).read_bytes()


@built
@pytest.mark.integration
@pytest.mark.xdist_group("distribution")
def test_the_source_archive_gives_the_same_wheel(archives: Path, tmp_path: Path) -> None:
    with tarfile.open(next(archives.glob("*.tar.gz"))) as archive:
        archive.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()
    assert {path.name for path in tree.iterdir()} == TOP
    strange = [
        path for path in tree.rglob("*")
        if path.name in ("__pycache__", "node_modules", "outputs") or path.suffix in (".pyc", ".tgz", ".whl")
    ]  # fmt: skip
    assert strange == []
    (wheel,) = archives.glob("*.whl")
    assert (build(tree, tmp_path / "again") / wheel.name).read_bytes() == wheel.read_bytes()


@built
@pytest.mark.integration
@pytest.mark.xdist_group("distribution")
def test_the_wheel_holds_the_package_its_data_and_nothing_else(archives: Path) -> None:
    about = f"gdsim-{gdsim.__version__}.dist-info"
    expected = {
        *files_of(ROOT / "gdsim", into="gdsim"),
        *files_of(ROOT / "scenarios", into="gdsim/shipped/scenarios"),
        *files_of(ROOT / "configs", into="gdsim/shipped/configs"),
        *(
            f"{about}/{name}"
            for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
        ),
    }
    (wheel,) = archives.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert {*archive.namelist()} == expected
    for needed in (
        "gdsim/plots/styles/", "gdsim/course/phrases/en.yaml", "gdsim/course/01-nudges/en/lesson.md",
        "gdsim/shipped/scenarios/data/engel.csv", "gdsim/shipped/configs/lecture.yaml", "gdsim/py.typed",
    ):  # fmt: skip
        assert any(name.startswith(needed) for name in expected)


@built
@pytest.mark.integration
@pytest.mark.xdist_group("distribution")
def test_the_wheel_runs_a_scenario_in_an_empty_folder(archives: Path, tmp_path: Path) -> None:
    """Unpacked, without the checkout; .ci/release installs it into a fresh environment."""
    (wheel,) = archives.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    empty = tmp_path / "empty"
    empty.mkdir()
    where = environment(PYTHONPATH=str(tmp_path / "unpacked"))
    words = ["-m", "gdsim", "run", "parabola", "--json"]
    done = subprocess.run(
        [sys.executable, *words], cwd=empty, env=where, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in empty.iterdir()] == ["outputs"]
    assert '"kind": "minimum"' in done.stdout


def test_the_version_is_said_once_and_repeated_in_the_citation() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {gdsim.__version__}\n" in citation


def test_the_release_tier_takes_the_lower_bounds_as_the_oldest_versions() -> None:
    loader = SourceFileLoader("release_tier", str(ROOT / ".ci" / "release"))
    tier = module_from_spec(spec_from_loader("release_tier", loader))  # type: ignore[arg-type]
    written = sys.dont_write_bytecode
    sys.dont_write_bytecode = True
    try:
        loader.exec_module(tier)
    finally:
        sys.dont_write_bytecode = written
    extras = [need for name in ("fast", "pptx") for need in PROJECT["optional-dependencies"][name]]
    bounds = [need.replace(">=", "==") for need in (*PROJECT["dependencies"], *extras)]
    assert [*tier.oldest()] == [*bounds, "pyparsing<3.3"]


# --- licences ---------------------------------------------------------------------------------------


def needed(requirements: list[str]) -> set[str]:
    """Return all that is installed for the sake of these requirements, by name."""
    from packaging.requirements import Requirement

    found: set[str] = set()
    waiting = [*requirements]
    while waiting:
        need = Requirement(waiting.pop())
        name = re.sub(r"[-_.]+", "-", need.name).lower()
        if name in found or name == "gdsim" or (need.marker and not need.marker.evaluate({"extra": ""})):
            continue
        try:
            waiting += distribution(name).requires or []
        except PackageNotFoundError:
            continue
        found.add(name)
    return found


def stated() -> dict[str, str]:
    """Return the licences of the page, by package."""
    page = (ROOT / "docs" / "licences.md").read_text(encoding="utf-8")
    return dict(re.findall(r"\| `([^`]+)` \| ([^`|]+?) \|$", page, re.MULTILINE))


def test_every_dependency_is_on_the_page_of_licences() -> None:
    extras = PROJECT["optional-dependencies"]
    offered = [need for name in extras if name not in ("test", "docs", "dev", "all") for need in extras[name]]
    nvidia = re.compile(r"(nvidia|cuda)-|triton\Z")  # the page names them together
    found = {name for name in needed([*PROJECT["dependencies"], *offered]) if not nvidia.match(name)}
    assert found <= {*stated()}


def test_every_licence_is_permissive_or_named() -> None:
    for package, licence in stated().items():
        own = licence.partition(";")[0]
        assert re.fullmatch(rf"({PERMISSIVE})( (and|or) ({PERMISSIVE}))*( \(.*\))?", own), (package, licence)
        within = re.findall(r"\bL?GPL[-\d.\w]*", licence)
        assert within == ([NAMED[package]] if package in NAMED else [])
