"""The parts around the picture: menus, message bar, status line, and the page that an empty window shows."""
