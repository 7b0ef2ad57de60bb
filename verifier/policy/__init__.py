"""Decide: a pack of rules over a case gives findings; pure, no clock, no file, no socket."""
