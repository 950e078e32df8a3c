"""The documentation as a site: the pages of docs/ and of the root, in English and Chinese (`make docs`)."""
