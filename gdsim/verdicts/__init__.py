"""What happened to a run and why, in plain words; where it stands against 2/L; what it crossed."""

from gdsim.verdicts.crossings import crossings
from gdsim.verdicts.judge import Verdicts, judge, searches
from gdsim.verdicts.ruler import Ruler, ruler

__all__ = ["Ruler", "Verdicts", "crossings", "judge", "ruler", "searches"]
