"""The picture: which regions it shows, how the mouse zooms and pans, and how it is saved."""
