"""The verdict in words, as a record for programs, and as one page for people."""
