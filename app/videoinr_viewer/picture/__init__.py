"""The picture: its regions, zoom and pan, comparisons with other pictures, what lies over it, and how it is saved."""
