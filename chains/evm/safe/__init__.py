"""Safe wallets as the state tree shows them: who owns them, how many must sign, and what else can move the funds."""
