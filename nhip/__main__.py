"""``python -m nhip``: the same as the program ``nhip``."""

from nhip.cli import main

main()
