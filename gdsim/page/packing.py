"""The script of a page, packed: a third of its size, and unpacked by a few lines when the page is opened."""

from __future__ import annotations

import base64
import re
import zlib

#: what must stand as it is: texts, templates, and patterns behind a sign that no division can follow
_KEPT = re.compile(
    r"""
      "(?:[^"\\\n]|\\.)*" | '(?:[^'\\\n]|\\.)*' | `(?:[^`\\]|\\.)*`
    | (?P<before> [(,=:\[!&|?{;] | => | \breturn\b ) \s*
      (?P<pattern> /(?![/*]) (?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+ / )
    """,
    re.VERBOSE | re.DOTALL,
)
_SIGNS = r"{}()\[\];,:?=<>*/%&|!^~"
_SPARE = re.compile(rf"\n(?<=[{{;,(\[]\n)\s*|[ ]+(?=[{_SIGNS}\n])|[ ](?<=[{_SIGNS}][ ])[ ]*")
#: base 85 as Python writes it, but for the sign that opens a tag
_OPEN, _FREE = b"<", b","
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;,=>?@^_`{|}~"

#: unpacks the script and runs it; the policy of the page knows the hash of what comes out
LOADER = """
"use strict";
(async () => {
  const signs = "SIGNS";
  const packed = document.getElementById("gdsim-packed").textContent;
  const words = new DataView(new ArrayBuffer(Math.ceil(packed.length / 5) * 4));
  for (let at = 0; at < packed.length; at += 5) {
    let word = 0;
    for (let k = 0; k < 5; k++) word = word * 85 + signs.indexOf(packed[at + k]);
    words.setUint32(at / 5 * 4, word);
  }
  const size = Number(document.getElementById("gdsim-packed").dataset.size);
  const stream = new Blob([words.buffer.slice(0, size)]).stream();
  const element = document.createElement("script");
  element.id = "gdsim-script";
  element.textContent = await new Response(stream.pipeThrough(new DecompressionStream("deflate"))).text();
  document.body.append(element);
})().catch(() => {
  document.querySelector("main").append("This page needs a browser of 2023 or later.");
});
""".replace("SIGNS", _ALPHABET)


def squeezed(script: str) -> str:
    """Return a script without the spaces and line ends that it can do without.

    Statements must end in semicolons. A plus and a minus keep the spaces around them.

    Examples
    --------
    >>> squeezed('const a = [1, 2];\\nif (a > b) {\\n  a = /[ ,] /.source + "x = y";\\n}\\n')
    'const a=[1,2];if(a>b){a=/[ ,] /.source + "x = y";}\\n'
    """
    parts: list[str] = []
    last = 0
    for match in _KEPT.finditer(script):
        kept = match.start("pattern") if match["pattern"] else match.start()
        parts += [_SPARE.sub("", script[last:kept]), script[kept : match.end()]]
        last = match.end()
    return "".join([*parts, _SPARE.sub("", script[last:])])


def packed(script: str) -> tuple[str, int]:
    """Return a script as text that may stand in an element of a page, and its size in bytes when packed.

    Examples
    --------
    >>> text, size = packed("let a = 1;")
    >>> unpacked(text, size)
    'let a = 1;'
    """
    data = zlib.compress(script.encode(), 9)
    padded = data + bytes(-len(data) % 4)
    return base64.b85encode(padded).replace(_OPEN, _FREE).decode(), len(data)


def unpacked(text: str, size: int) -> str:
    """Return the script that was packed."""
    return zlib.decompress(base64.b85decode(text.encode().replace(_FREE, _OPEN))[:size]).decode()
