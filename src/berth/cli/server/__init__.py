"""`berth server …`: one file per subcommand, report (what was found about a share, as text) and answering (errors and
exit codes) for all of them.
"""
