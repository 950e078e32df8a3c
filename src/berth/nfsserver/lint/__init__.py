"""What is wrong with exports: rules over the files, the host and the live table."""
