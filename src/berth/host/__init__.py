"""What the kernel of this machine tells, read once for all who ask."""
