"""The Bitcoin family: chains whose balances are unspent transaction outputs."""
