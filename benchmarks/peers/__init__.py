"""The worker's job in other engines: the same records, each on one core, and how many windows each got right."""
