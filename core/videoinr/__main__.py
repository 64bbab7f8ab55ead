"""``python -m videoinr`` is the command ``videoinr``."""

from videoinr.cli import main

if __name__ == "__main__":
    main()
