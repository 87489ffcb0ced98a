"""Makes ratings visible: stages them, moves the pointer, sends events, writes reports and the ledger."""
