"""Was the snapshot dressed? What client wallets held before it, on average, at the least, and just after."""
