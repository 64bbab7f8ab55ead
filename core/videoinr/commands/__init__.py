"""The commands of ``videoinr``, one file each. Their modules import nothing heavy until a command runs."""
