"""Read public chains and keep the evidence; knows nothing of exchanges or policies."""
