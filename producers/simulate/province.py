"""The units of the made-up province: how many, how busy, how good. All codes are invented."""

import random
from typing import Final, NamedTuple

__all__ = ["COMMUNES", "DEPARTMENTS", "PROVINCE", "SimUnit", "make_province", "units_csv"]

PROVINCE: Final = "sim"
DEPARTMENTS: Final = 14
COMMUNES: Final = 102
"""As many as Đắk Lắk has (published: 14 departments and 102 communes)."""

ONLINE_SHARES: Final = (0.39, 0.60)
"""Share of dossiers that are filed online, least and most over the units (published for a province)."""
LATE_SHARES: Final = (0.005, 0.0378)
"""Share of dossiers that miss their due date, least and most over the units (published)."""
PAPERLESS_SHARES: Final = (0.35, 0.95)
SIGNED_SHARES: Final = (0.70, 0.99)
"""Shares of meetings without paper and of documents signed digitally. No figure is published: chosen."""

_DEPARTMENTS_WEIGHT: Final = 0.35
_SPREAD: Final = 0.9
"""Departments differ much (one had 587 dossiers in nine months, the largest some ten thousand)."""
_VENDORS: Final = 4
"""Communes are spread over so many one-stop systems."""


class SimUnit(NamedTuple):
    """One unit.

    ``weight`` is its share of all dossiers; ``number`` counts within its kind; the other shares are
    probabilities. ``onestop`` is the name of the system that sends its dossiers.
    """

    code: str
    kind: str
    number: int
    weight: float
    online: float
    late: float
    paperless: float
    signed: float
    onestop: str

    @property
    def letter(self) -> str:
        """The part of a dossier's code that names the unit."""
        return f"{self.kind[0].upper()}{self.number:03d}"


def make_province(seed: int) -> tuple[SimUnit, ...]:
    """Make the 116 units; the same seed makes the same ones."""
    chance = random.Random(f"province/{seed}")
    departments = [chance.lognormvariate(0, _SPREAD) for _ in range(DEPARTMENTS)]
    communes = [chance.lognormvariate(0, _SPREAD / 2) for _ in range(COMMUNES)]
    share = _DEPARTMENTS_WEIGHT / sum(departments)
    rest = (1 - _DEPARTMENTS_WEIGHT) / sum(communes)
    return (
        *(
            _unit(chance, f"{PROVINCE}.dept-{n:02d}", "department", n, w * share, "sim/onestop-departments")
            for n, w in enumerate(departments, 1)
        ),
        *(
            _unit(chance, f"{PROVINCE}.commune-{n:03d}", "commune", n, w * rest, f"sim/onestop-{1 + n % _VENDORS}")
            for n, w in enumerate(communes, 1)
        ),
    )


def _unit(chance: random.Random, code: str, kind: str, number: int, weight: float, onestop: str) -> SimUnit:
    shares = (ONLINE_SHARES, LATE_SHARES, PAPERLESS_SHARES, SIGNED_SHARES)
    online, late, paperless, signed = (chance.uniform(*between) for between in shares)
    return SimUnit(code, kind, number, weight, online, late, paperless, signed, onestop)


def units_csv() -> str:
    """Write the table of units as ``config/units.csv`` is written; it is the same for every seed."""
    lines = ["code,parent,kind,name_vi,name_en,valid_from,valid_to"]
    lines.append(f"{PROVINCE},,province,Tỉnh mô phỏng,Simulated Province,2025-07-01,")
    for n in range(1, DEPARTMENTS + 1):
        code = f"{PROVINCE}.dept-{n:02d}"
        lines.append(f"{code},{PROVINCE},department,Sở mô phỏng {n:02d},Simulated Department {n:02d},2025-07-01,")
    for n in range(1, COMMUNES + 1):
        code = f"{PROVINCE}.commune-{n:03d}"
        lines.append(f"{code},{PROVINCE},commune,Xã mô phỏng {n:03d},Simulated Commune {n:03d},2025-07-01,")
    return "\n".join(lines) + "\n"
