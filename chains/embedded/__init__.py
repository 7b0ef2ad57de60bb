"""Real consensus engines inside this process, behind loopback facades, so that the ordinary adapters do the work."""
