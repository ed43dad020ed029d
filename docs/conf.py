"""How the site is built: ``python -m sphinx -W -n docs outputs/site`` (``pip install '.[docs]'``)."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "gdsim"
author = "The gdsim founders"
copyright = "the gdsim founders, MIT licence"
version = release = installed("gdsim")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "gallery",
    "mathml",
]
exclude_patterns = ["_ext", "_tables"]

myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
html_math_renderer = "mathml"

autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
python_use_unqualified_type_names = True
# Types of other packages and type variables have no page here: no inventory of theirs is fetched.
nitpick_ignore_regex = [("py:.*", r"(?!gdsim\.).*")]

html_theme = "furo"
html_title = "gdsim"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
