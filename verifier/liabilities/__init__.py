"""The exchange's side: build the tree of what it owes, hand out proofs, let a regulator rebuild it."""
