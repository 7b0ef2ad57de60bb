"""Account-based chains that speak Ethereum JSON-RPC."""
