"""The program: one command line over services, workers, store and wall."""

__all__: list[str] = []
