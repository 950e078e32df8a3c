"""Small asyncio tools: named tasks in a group, and the one way to run a subprocess."""
