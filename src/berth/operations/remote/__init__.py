"""Work on other hosts over OpenSSH's own client: one connection for each host, the self-contained command brought there
if it is not there yet, and run there.

target (who is meant), client (how ssh is called), secrets (what ssh asks for), connection, faults (what ssh's words
mean), command_file (what is brought), there (the host as it is found), bring, and work, which does it all.
"""
