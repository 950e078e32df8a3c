"""The exports of this host: exports(5) files, the live table, and what lies at the exported paths.

Pure: lexer and parse (exports(5) as exportfs reads it), flags, options, clients, edit (changes of a file), client_order
(which client comes first), table (etab), wanted (what somebody asks for, checked), facts.
Asking the host: export_files (where they are), spelling (the resolver), survey (facts about paths and mounts).
Changing it: change is the one way to write Berth's file and make it live; exportfs, lock.
For callers: exporting (add, remove, list).
"""
