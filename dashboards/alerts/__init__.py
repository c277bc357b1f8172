"""Alerts on screens: firing ones on the wall and in the read API, and the page behind a signed link."""
