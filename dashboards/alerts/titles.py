"""What rules call themselves, from the text that the store keeps of them."""

import tomllib

from contract.text import Text

__all__ = ["titles_of"]


def titles_of(text: str | None) -> dict[str, Text]:
    """Return the titles by rule; rules without one are left out. The text was checked before it was stored."""
    rules = tomllib.loads((text or "").removeprefix("\ufeff")).get("rule", [])
    return {rule["id"]: Text(rule["title"]["vi"], rule["title"]["en"]) for rule in rules if "title" in rule}
