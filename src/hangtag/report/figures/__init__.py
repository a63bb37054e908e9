"""Figures as inline SVG. Colours are classes that the page's style sheet knows, so they follow light, dark, print."""
