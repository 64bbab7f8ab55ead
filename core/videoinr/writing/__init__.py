"""Writing: every file of the program is written under a unique name of its own, and takes its place when it is whole.

bytes -> PartialFile (NAME.PROCESS-RANDOM.part, beside NAME) -> commit -> NAME

A file that is being written never has the name of a finished one. A finished file replaces another only when asked.
"""
