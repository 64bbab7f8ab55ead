"""From features and a query to pixels: the tiled decoder of a CPU, and the kernels of a GPU."""
