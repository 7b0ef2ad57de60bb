"""Check that one user's balance is inside what an exchange committed to."""
