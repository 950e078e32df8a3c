"""What this machine tells: its kernel, read once for all who ask, and which file this command is."""
