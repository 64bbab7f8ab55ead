"""The commands of ``videoinr``, one file each. A command imports heavy modules only when it runs."""
