"""The stream: batches of snapshots in, entity rows, panes and rates out. No SQL text, no HTTP."""
