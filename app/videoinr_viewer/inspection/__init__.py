"""Shows the representation: the motion of every pixel, the way of one point, and where motion is doubtful."""
