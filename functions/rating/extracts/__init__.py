"""The extracts: found and fetched from S3, seen to be sound, measured into every agency's numbers."""
