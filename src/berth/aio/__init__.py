"""Small asyncio tools: named tasks, a clock, the one way to run a subprocess."""
