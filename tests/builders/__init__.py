"""Builders of valid trees and proofs in every known format, written from docs/formats.md and not with the engine."""
