"""How the program starts, logs and ends."""
