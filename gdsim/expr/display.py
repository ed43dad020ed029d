"""From tree to what people read: plain text that parses again, LaTeX, and presentation MathML.

Each printer knows for every kind of node how tightly it binds and sets a bracket only where the
reader, or the parser, would otherwise take another tree.
"""
