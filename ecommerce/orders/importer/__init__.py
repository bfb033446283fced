"""Reading sales files: what they look like, and what is in them. Writes nothing."""
