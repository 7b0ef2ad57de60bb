"""Where the parts of a liabilities tree lie in its folder: what is published, and what never leaves the exchange."""

COMMITMENT = "commitment.json"
LEAVES = "leaves.csv"
PRIVATE = "private"
SECRET = f"{PRIVATE}/secret"
ACCOUNTS = f"{PRIVATE}/accounts.csv"
STORE = f"{PRIVATE}/store"
SPILL = f"{PRIVATE}/spill"
