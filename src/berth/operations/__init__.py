"""One file per job that an administrator starts and that ends: install, uninstall, the default class, ...

Each takes an Api and settings, tells its progress to a callback, and answers a frozen report. What is printed, and in
which language, is the command line's business.
"""
