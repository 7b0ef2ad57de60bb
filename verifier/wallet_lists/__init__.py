"""Exchanges' published wallet lists: read them as they are, check every signature, and say what they do not show."""
