"""Solana: balances of accounts and tokens, each one tied to a slot by the transactions around it."""
