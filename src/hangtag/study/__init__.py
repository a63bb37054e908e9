"""Studies: many runs, each in a process of its own, judged alike and told apart from chance."""
