"""Shows the representation: motion, the way of a point, doubtful motion, the blend mask, the x-t slice."""
