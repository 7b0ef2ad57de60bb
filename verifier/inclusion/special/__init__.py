"""Readers for the few formats whose files no description can state."""
