"""`--on`: a command about a host is run on others. options (what is said about it, and the commands that take it),
side_by_side (several hosts at once), screen (what they say, shown here).
"""
