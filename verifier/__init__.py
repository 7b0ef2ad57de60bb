"""Decide whether an exchange's segregated reserves cover what it owes its users, rule by rule, with the evidence."""
