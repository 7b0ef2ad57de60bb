"""Who controls each wallet: claims, what they are bound to, how old they are, and what is to be signed."""
