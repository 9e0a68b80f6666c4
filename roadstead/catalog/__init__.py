"""What people look through: pages of tags and artifacts, counts, summaries; and how the indexer derives them."""
