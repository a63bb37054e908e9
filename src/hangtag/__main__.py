"""`python -m hangtag` is `hangtag`."""

from hangtag.cli import main

if __name__ == "__main__":
    main()
