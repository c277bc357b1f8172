"""What can be wrong with a back-up, or with the place it goes to."""

__all__ = ["BackupDamagedError", "BackupTargetError", "StoreNotEmptyError"]


class BackupDamagedError(Exception):
    """A back-up is incomplete, was changed, or is none; the text names the file."""


class BackupTargetError(Exception):
    """A back-up cannot be written where it should be: the folder is taken, not writable, or the disk is full."""


class StoreNotEmptyError(Exception):
    """The database holds rows that a restore would replace."""
