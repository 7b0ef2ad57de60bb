"""After an incident: what was lost, who is paid how much, from what, and how soon; it follows from a run alone."""
