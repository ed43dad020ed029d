"""A deck as one HTML file: figures within it, no network, arrow keys turn the slides, N shows the notes."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from html import escape

from gdsim.slides.model import Deck, Formula, Line, Lines, Part, Picture, Sketch, Slide, Table, picture_of

_STYLE = """
:root { --unit: min(1vw, 1.7778vh); --ink: #1b1b1b; --ground: white; --quiet: #5a5a5a; --line: #ccc;
  --head: #0072b2; --marked: #e6f1f8; }
.dark { --ink: #f2f2f2; --ground: #14181d; --quiet: #b5b5b5; --line: #555; --head: #1f5f8b;
  --marked: #24384a; }
* { box-sizing: border-box; }
body { margin: 0; background: #222; font-family: "DejaVu Sans", Verdana, sans-serif; color: var(--ink); }
section { width: calc(100 * var(--unit)); height: calc(56.25 * var(--unit)); margin: 0 auto;
  background: var(--ground);
  padding: calc(3 * var(--unit)) calc(4 * var(--unit)); font-size: calc(2.3 * var(--unit)); line-height: 1.35;
  display: none; flex-direction: column; position: relative; overflow: hidden; }
section.shown { display: flex; }
body:not(.ready) section { display: flex; margin-bottom: 1em; }
h1, h2 { font-size: calc(3.2 * var(--unit)); line-height: 1.2; margin: 0 0 calc(1.2 * var(--unit)); }
.opening { justify-content: center; }
.opening h1 { font-size: calc(4.6 * var(--unit)); }
p { margin: 0 0 .5em; }
ul { margin: 0; padding-left: 1.2em; } li { margin-bottom: .4em; }
.lead { font-weight: bold; } .quiet { font-size: 85%; color: var(--quiet); }
.formula { font-size: calc(3 * var(--unit)); margin: 0 0 .6em; }
.figure { flex: 1 1 0; min-height: 0; min-width: 0; margin: 0; display: flex; justify-content: center; }
.figure svg { width: 100%; height: 100%; }
.beside { flex: 1 1 0; min-height: 0; display: grid; gap: calc(2 * var(--unit));
  grid-template-columns: 68fr 32fr; align-items: center; }
.beside .figure { height: 100%; }
table { border-collapse: collapse; font-size: calc(2 * var(--unit)); align-self: flex-start; }
th, td { text-align: left; padding: .28em .8em; border-bottom: 1px solid var(--line); vertical-align: top; }
thead th { background: var(--head); color: white; } tbody th { font-weight: 600; }
.marked td { font-weight: bold; background: var(--marked); }
aside { display: none; position: absolute; left: 0; right: 0; bottom: 0; max-height: 60%; overflow: auto;
  background: #fff8dc; color: #1b1b1b; border-top: 2px solid #e69f00; padding: 1em 2em;
  font-size: calc(1.5 * var(--unit)); }
.notes aside { display: block; }
.number { position: absolute; right: calc(2 * var(--unit)); bottom: calc(.4 * var(--unit));
  font-size: calc(1.9 * var(--unit)); color: var(--quiet); }
@media print { @page { size: 13.333in 7.5in; margin: 0; } body { background: white; }
  :root { --unit: .13333in; } section, section.shown { display: flex; break-after: page; }
  section:last-of-type { break-after: auto; } aside, .notes aside, #said { display: none; } }
"""
_SCRIPT = """
const slides = [...document.querySelectorAll("section")];
let at = 0;
function show(place, quiet) {
  at = Math.max(0, Math.min(slides.length - 1, place));
  slides.forEach((slide, index) => slide.classList.toggle("shown", index === at));
  if (!quiet) history.replaceState(null, "", "#" + (at + 1));
  document.getElementById("said").textContent =
    "Slide " + (at + 1) + " of " + slides.length + ": " + slides[at].getAttribute("aria-label");
}
const keys = {ArrowRight: 1, ArrowDown: 1, PageDown: 1, " ": 1, Enter: 1, ArrowLeft: -1, ArrowUp: -1,
  PageUp: -1, Backspace: -1};
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key in keys) show(at + keys[event.key]);
  else if (event.key === "Home") show(0);
  else if (event.key === "End") show(slides.length - 1);
  else if (event.key === "n" || event.key === "N") document.body.classList.toggle("notes");
  else return;
  event.preventDefault();
});
document.addEventListener("click", event => {
  if (event.target.closest("aside") || String(getSelection())) return;
  show(at + (event.clientX < innerWidth / 4 ? -1 : 1));
});
addEventListener("hashchange", () => show(parseInt(location.hash.slice(1)) - 1 || 0, true));
document.body.classList.add("ready");
show(parseInt(location.hash.slice(1)) - 1 || 0, true);
"""
_HIDDEN = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"
_IDENTITY = re.compile(r'(\bid="|href="#|url\(#)')
_XML_HEAD = re.compile(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>", re.DOTALL)


def write_html(deck: Deck, drawings: Mapping[str, bytes], dark: bool = False) -> str:
    """Return a deck as one HTML file.

    Parameters
    ----------
    deck
        What is on the slides.
    drawings
        The SVG figure of each name.
    dark
        Light on dark, as the figures are.
    """
    count = len(deck.slides)
    sections = "\n".join(
        _section(slide, place, count, drawings) for place, slide in enumerate(deck.slides, 1)
    )
    ground = ' class="dark"' if dark else ""
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(deck.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body{ground}>\n{sections}\n"
        f'<div id="said" aria-live="polite" style="{_HIDDEN}"></div>\n'
        f"<script>{_SCRIPT}</script>\n</body>\n</html>\n"
    )


def _section(slide: Slide, place: int, count: int, drawings: Mapping[str, bytes]) -> str:
    level = "h1" if slide.opening else "h2"
    kind = ' class="opening"' if slide.opening else ""
    notes = "".join(f"<p>{escape(note)}</p>" for note in slide.notes)
    notes = f'\n<aside aria-label="Notes">{notes}</aside>' if notes else ""
    return (
        f'<section{kind} aria-label="{escape(slide.title)}">\n<{level}>{escape(slide.title)}</{level}>\n'
        f"{_body(slide.parts, slide, place, drawings)}\n"
        f'<div class="number">{place} / {count}</div>{notes}\n</section>'
    )


def _body(parts: Sequence[Part], slide: Slide, place: int, drawings: Mapping[str, bytes]) -> str:
    texts = [_part(part, place, drawings) for part in parts]
    if len(parts) == 2 and slide.visual is parts[0] and isinstance(parts[1], Lines) and texts[0]:
        return f'<div class="beside">\n{texts[0]}\n<div>{texts[1]}</div>\n</div>'
    return "\n".join(filter(None, texts))


def _part(part: Part | Sketch, place: int, drawings: Mapping[str, bytes]) -> str:
    match part:
        case Lines():
            return _lines(part)
        case Formula():
            return f'<div class="formula">{part.mathml}</div>'
        case Table():
            return _table(part)
        case Picture() | Sketch():
            return f'<div class="figure">{_svg(drawings[part.name], part.alt, f"s{place}-")}</div>'
    return _part(picture_of(part), place, drawings)


def _lines(part: Lines) -> str:
    tag = "li" if part.bullets else "p"
    text = "\n".join(f"<{tag}{_class(line)}>{escape(line.text)}</{tag}>" for line in part.lines)
    return f"<ul>\n{text}\n</ul>" if part.bullets else text


def _class(line: Line) -> str:
    return "" if line.weight == "plain" else f' class="{line.weight}"'


def _table(part: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in part.head)
    head = f"<thead><tr>{head}</tr></thead>\n" if head else ""
    rows = []
    for place, row in enumerate(part.rows):
        first = f'<th scope="row">{escape(row[0])}</th>' if not part.head else f"<td>{escape(row[0])}</td>"
        cells = first + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        kind = ' class="marked"' if part.marked == place else ""
        rows.append(f"<tr{kind}>{cells}</tr>")
    return (
        f'<table aria-label="{escape(part.alt)}">\n{head}<tbody>\n' + "\n".join(rows) + "\n</tbody>\n</table>"
    )


def _svg(data: bytes, alt: str, prefix: str) -> str:
    """Return a drawing as an element of the page: its ids its own, its words those of the alt text."""
    text = _XML_HEAD.sub("", data.decode("utf-8")).strip()
    text = _IDENTITY.sub(rf"\g<1>{prefix}", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(alt)}" ', 1)
