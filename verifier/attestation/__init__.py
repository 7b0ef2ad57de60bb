"""What is handed to other people, so that they reach the same verdict without us."""
