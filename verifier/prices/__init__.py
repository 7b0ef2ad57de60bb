"""Prices as evidence: asked from several sources, recorded like balances, and never averaged away."""
