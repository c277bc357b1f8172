"""A made-up province that behaves like published figures say: for trying, for tests, for load."""
