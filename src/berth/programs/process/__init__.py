"""What all programs share: how one is declared, how it is started and stopped, how it logs."""
