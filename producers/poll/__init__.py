"""The poller: turns a source that has only state (a table, a list over HTTP, a folder of files) into events."""
