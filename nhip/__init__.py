"""The program: one command line over intake, workers, store and wall."""

__all__: list[str] = []
