"""From a view to pictures: the engine and its caches, the render thread and its policy, videos for Python."""
