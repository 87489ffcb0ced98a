"""From ratings to what readers see: staged, published, sent as events, reported, and kept in the ledger."""
