"""argv -> one call -> exit code. Nothing is decided here."""
