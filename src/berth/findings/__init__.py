"""What Berth tells people who have to put something right: findings, whoever found them.

A finding says what was seen, why it is so, what to do, and which commands to type, in English and Chinese. Its words
are data: an entry in a YAML file beside the code that finds it. To add one: write the entry, then make the finding with
`CATALOGUE.find("its-id", Subject("claim", "a/b"), fact=value)` where it is found; a test reads every entry.

`finding` holds the values, `entry` the format, `catalogue` reads it, `pattern` and `versions` are how texts and servers
lead to entries, `render` makes the words on a terminal.
"""
