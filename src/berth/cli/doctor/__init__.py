"""`berth doctor`: a file for each kind of thing that it looks at, imported when it is asked for."""
