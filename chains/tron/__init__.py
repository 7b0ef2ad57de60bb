"""Tron: coins from the balance history of a node, TRC-20 tokens by undoing the transfers since the pinned block."""
