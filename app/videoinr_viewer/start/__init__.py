"""The start of the program: command line, settings, log, crash hook, screenshots."""
