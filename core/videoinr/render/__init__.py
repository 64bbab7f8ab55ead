"""From what a view shows to pictures: the engine, its caches, and the thread that paces the work."""
