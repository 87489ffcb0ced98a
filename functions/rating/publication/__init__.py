"""From ratings to what readers see: staged, published, announced, reported, and kept in the ledger."""
