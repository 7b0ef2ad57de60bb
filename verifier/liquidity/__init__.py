"""How soon could it be paid out? What is locked, new, tiny, frozen or lent, wallet by wallet."""
