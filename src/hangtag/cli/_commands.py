"""Every command in one line, by what it is for: `hangtag --help` imports no command to say this."""

from __future__ import annotations

GROUPS: dict[str, dict[str, str]] = {
    "Use": {
        "recognise": "Say what photos show, with how sure it is: files or folders.",
        "serve": "Recognise over HTTP, with a page to drop photos on.",
        "evaluate": "How good a trained model is: accuracy, confusions.",
        "report": "One HTML file on a model, or on two side by side.",
    },
    "Train": {
        "demo": "Start here: data, training, evaluation, recognition in one go.",
        "train": "Train a recipe and bundle the result.",
        "tune": "Seek better settings for a recipe.",
        "transfer": "Train on some classes, transfer to others.",
        "distill": "Train a small model to predict as large ones do.",
        "ensemble": "Put several models together into one.",
    },
    "Study": {
        "compare": "Recipes and models side by side: which differences are real.",
        "speedup": "How much sooner a recipe is trained, and by which change.",
        "claims": "Run again what published projects claim.",
    },
    "Data": {
        "data": "Fetch, verify, show or audit the images to train on.",
        "list": "All that has a name: recipes, models, data sets and more.",
        "doctor": "What this installation can do, and what is missing.",
    },
}

ALIASES = {
    "predict": "recognise",
    "recognize": "recognise",
    "distil": "distill",
    "val": "evaluate",
}
"""Other words for a command: they work and are suggested, but are not listed."""
