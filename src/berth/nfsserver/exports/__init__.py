"""The exports of this host: their files read and changed as exportfs reads them, and the table that is live."""
