"""The spreadsheet: its sources, its parser (all faults at once), and the tabs that the system writes."""
