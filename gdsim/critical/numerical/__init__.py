"""What can be seen without proof: for Python functions, and where a proof does not come to an end."""
