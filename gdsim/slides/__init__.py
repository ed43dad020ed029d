"""Runs as a lecture: PowerPoint with native charts, Beamer, Quarto, Marp and one HTML file."""

from __future__ import annotations

from gdsim.slides.content import Entry, Words
from gdsim.slides.formats import FORMATS, Look, assemble, check, kind_of, ready, render, save
from gdsim.slides.lecture import Lecture, deck_schema, read_deck
from gdsim.slides.model import Deck, Slide
from gdsim.slides.writing import deck

__all__ = [
    "FORMATS", "Deck", "Entry", "Lecture", "Look", "Slide", "Words", "assemble", "check", "deck",
    "deck_schema", "kind_of", "read_deck", "ready", "render", "save",
]  # fmt: skip
