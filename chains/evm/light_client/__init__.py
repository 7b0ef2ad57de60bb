"""A beacon light client: from one trusted block root to an execution block's hash, offline, from stored data."""
