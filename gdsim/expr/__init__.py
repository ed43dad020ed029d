"""The expression tree: what a formula is, and everything that follows from it.

nodes        the immutable tree
parse        text → tree
differentiate  tree → derivative, with the rule used at each node (derivative_rules)
simplify     tree → what a textbook prints (built with algebra, exact, identities)
lower        trees → straight-line program, common subexpressions computed once
emit_python, emit_numpy, emit_torch   program → source for each back-end
display      tree → plain text, LaTeX, MathML
"""
