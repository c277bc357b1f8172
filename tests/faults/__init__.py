"""The fault laboratory: the whole system as processes, seeded faults, and a checker that knows the truth."""
