"""The numbers that a running Berth shows, named as the field names them."""
