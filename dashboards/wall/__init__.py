"""The wall: server-rendered screens that keep themselves up to date in the browser."""
