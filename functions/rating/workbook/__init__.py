"""The spreadsheet: read from a folder or from Google, parsed with all its faults, built, and told what came of it."""
