"""The bytes of a PPTX file without the clock: the same deck gives the same bytes."""

from __future__ import annotations

import io
import re
import zipfile

_TIME = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip file can state
_STAMP = b"2000-01-01T00:00:00Z"
_DATES = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*(?=</dcterms:)")


def without_clock(data: bytes) -> bytes:
    """Return an Office file with fixed dates, also in the workbooks embedded in it.

    The dates are those of the zip entries, and of the document's properties, which XlsxWriter and
    python-pptx take from the clock.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _DATES.sub(rb"\g<1>" + _STAMP, content)
            elif name.endswith(".xlsx"):
                content = without_clock(content)
            entry = zipfile.ZipInfo(name, _TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o600 << 16
            new.writestr(entry, content, compresslevel=6)
    return target.getvalue()
