"""TON: Toncoin at a masterchain block, as servers tell it and as proofs of the state show it."""
