"""The HTML of a page: a skeleton, its policy, its script and style by hash, its data as text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gdsim.page.packing import LOADER, packed, squeezed

_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|-?Infinity|NaN')
_NUMBERS = {"Infinity": "1e999", "-Infinity": "-1e999", "NaN": "null"}
#: what ends a script element, or a line of JavaScript, in the eyes of a browser
_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_SKELETON = """\
<!DOCTYPE html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="gdsim {version}">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
{body}
<script type="application/json" id="gdsim-data">{data}</script>
<script type="text/plain" id="gdsim-packed" data-size="{size}">{packed}</script>
<script>{loader}</script>
</body>
</html>
"""


def document(
    title: str,
    body: str,
    data: Mapping[str, Any],
    script: str,
    style: str,
    *,
    language: str = "en",
    pictures: bool = False,
) -> str:
    """Return a page as one HTML file that asks nothing of anybody.

    Parameters
    ----------
    title
        Plain text.
    body
        HTML, with every text in it escaped.
    data
        What the script reads, as plain data; numbers may be inf (read as Infinity) or nan (read as null).
    script
        JavaScript.
    style
        CSS.
    language
        Of the text, as in ``<html lang>``.
    pictures
        Whether pictures that stand in the data may be shown.

    Returns
    -------
    str
        The same bytes for the same arguments and the same zlib. A browser runs this script and this style and
        nothing else; only a worker may be started, from the same script.

    Notes
    -----
    The script stands in the page packed, which makes it three times as small. A few lines unpack it; the
    policy lists the hash of what comes out.

    Examples
    --------
    >>> page = document("<i>", "<p>Hello</p>", {"name": "</script>"}, "let a = 1;", "p {margin: 0}")
    >>> page.count("</script>"), "<title>&lt;i&gt;</title>" in page
    (3, True)
    """
    from gdsim import __version__

    script, style = squeezed(script).strip() + "\n", _inside(style, "style")
    shown = "img-src data:; " if pictures else ""
    policy = (
        f"default-src 'none'; script-src '{_digest(LOADER)}' '{_digest(script)}'; "
        f"style-src '{_digest(style)}'; worker-src blob:; {shown}base-uri 'none'; form-action 'none'"
    )
    text, size = packed(script)
    return _SKELETON.format(
        language=escape(language), policy=policy, version=__version__, title=escape(title), style=style,
        body=body, data=json_text(data), packed=text, size=size, loader=LOADER,
    )  # fmt: skip


def json_text(data: Mapping[str, Any]) -> str:
    r"""Return data as JSON that may stand in a script element, whatever texts it holds.

    Examples
    --------
    >>> print(json_text({"name": "</script>", "limit": float("inf")}))
    {"name":"\u003c/script\u003e","limit":1e999}
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    text = _TOKENS.sub(lambda match: _NUMBERS.get(match[0], match[0]), text)
    for sign, spelled in _UNSAFE.items():
        text = text.replace(sign, spelled)
    return text.encode("utf-8", "backslashreplace").decode()


def _inside(text: str, element: str) -> str:
    """Make sure that a text cannot end the element that it stands in; browsers read line ends as ``\\n``."""
    text = "\n" + text.replace("\r\n", "\n").replace("\r", "\n").strip() + "\n"
    if re.search(rf"</{element}|<!--", text, re.IGNORECASE):
        raise ValueError(f"this would end the {element} element")
    return text


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def save(page: str, target: Path) -> None:
    """Write a page, whole or not at all.

    Raises
    ------
    OSError
        Where the disk refuses; what was there before is still there.
    """
    from gdsim.sweeps.columns import whole_file

    target.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(target) as file:
        file.write(page.encode())


def escape(text: str) -> str:
    """Return text as it may stand between tags or in an attribute.

    >>> escape('<a title="b">')
    '&lt;a title=&quot;b&quot;&gt;'
    """
    # html.escape, whose module takes longer to import than all that is escaped here
    signs = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}
    return "".join(signs.get(sign, sign) for sign in text)
