"""The guide: which steps there are, what is done and what is next, and how the dock shows it."""
