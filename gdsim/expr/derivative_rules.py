"""The rules of differentiation, as plain data: name, statement, and the derivative of each function."""
