"""Figures under the commands that draw them: what a console block of the gallery writes is shown below it.

The commands are run when the site is built, in a folder that is thrown away, so that a picture is what its
command gives now. The words for who cannot see it are those that gdsim writes into the file.
"""

from __future__ import annotations

import os
import re
import shlex
import xml.etree.ElementTree as ET
from contextlib import chdir
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner
from docutils import nodes
from PIL import Image
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

PAGES = ("gallery",)
_SVG = "{http://www.w3.org/2000/svg}"


def words_for(file: Path) -> str:
    """Return the words that stand for a picture, an SVG or a GIF, from its metadata."""
    if file.suffix == ".svg":
        root = ET.parse(file).getroot()
        return root.findtext(f"{_SVG}desc") or root.findtext(f"{_SVG}title") or ""
    with Image.open(file) as image:
        comment = image.info["comment"]
    return str(comment.decode() if isinstance(comment, bytes) else comment).splitlines()[-1]


def drawn(commands: list[str], folder: Path) -> list[Path]:
    """Run commands in an empty folder; return the pictures of the last one, kept in another folder."""
    from gdsim.cli import main

    with TemporaryDirectory() as work, chdir(work):
        before: set[Path] = set()
        for line in commands:
            before = set(_pictures())
            result = CliRunner().invoke(main, shlex.split(line)[1:], prog_name="gdsim")
            if result.exit_code:
                raise ExtensionError(f"$ {line}\n{result.output}")
        found = [file for file in _pictures() if file not in before]
        if not found:
            raise ExtensionError(f"$ {commands[-1]} draws nothing")
        folder.mkdir(parents=True, exist_ok=True)
        kept = []
        for file in found:
            data = file.read_bytes()
            kept.append(folder / f"{file.stem}-{sha256(data).hexdigest()[:8]}{file.suffix}")
            kept[-1].write_bytes(data)
        return kept


def _pictures() -> list[Path]:
    return sorted(file for file in Path().rglob("*") if file.suffix in (".svg", ".gif"))


class Drawn(SphinxTransform):
    """Put the pictures below each console block."""

    default_priority = 300  # before images are collected

    def apply(self, **unused: object) -> None:
        if self.env.docname not in PAGES:
            return
        for block in list(self.document.findall(nodes.literal_block)):
            if block.get("language") != "console":
                continue
            commands = re.findall(r"^\$ (gdsim .*)$", block.astext(), re.MULTILINE)
            logging.getLogger(__name__).info("drawing: %s", commands[-1])
            pictures = drawn(commands, Path(self.env.doctreedir) / "drawn")
            at = block.parent.index(block) + 1
            block.parent[at:at] = [self.picture(file) for file in pictures]

    def picture(self, file: Path) -> nodes.image:
        return nodes.image(uri=Path(os.path.relpath(file, self.env.srcdir)).as_posix(), alt=words_for(file))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(Drawn)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
