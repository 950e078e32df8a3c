"""What people get: one root without a distribution's installer, and every package that is made of it.

`python3 -m release` (`make release`) writes everything into dist/, for each machine of MACHINES, the same bytes each
time. root.py puts the root together from Debian packages (debian.lock) and wheels (requirements.txt), both known byte
for byte; oci.py makes the image of it, command.py the self-contained command.
"""
