"""Mount options: `table` is what a node's mount knows of them, `judge` what is wrong with those of a class or PV."""
