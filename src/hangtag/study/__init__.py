"""Studies: questions that take many runs, each one command, resumable, choosing on validation pictures only."""
