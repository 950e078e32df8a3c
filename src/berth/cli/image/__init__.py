"""`berth image …`: one file per subcommand."""
