"""What all rooms agree on: events, statuses, indicators, units, windows and the calendar. No I/O, no clock."""
