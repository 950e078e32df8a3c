"""One file per long-running process: builds objects, names tasks, fixes the order in which they stop."""
