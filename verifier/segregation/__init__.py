"""Is it strictly separated? Who holds which keys, which coins are spent together, and what flows to the company."""
