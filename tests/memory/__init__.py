"""In-memory implementations of the store Protocols, for tests. Each passes the contract suite of its Protocol."""
