"""What an administrator can set: one frozen dataclass per concern, loaded once, from environment and flags."""
