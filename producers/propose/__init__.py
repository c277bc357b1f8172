"""Looking at an export of an unknown system and proposing a mapping for it. Pure but for the reading of the file."""
