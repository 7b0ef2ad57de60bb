"""Read a node's whole set of unspent coins from a file, find declared scripts in it, recompute its commitments."""
