"""What every other layer stands on: the nouns, recipes, registries, errors, paths. Standard library and NumPy only."""
