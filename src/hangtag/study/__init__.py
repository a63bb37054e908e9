"""Studies: many runs, and what they say together. A layer above experiments and reports."""
