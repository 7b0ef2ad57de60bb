"""What changed from one attestation run to the next."""
