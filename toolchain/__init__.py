"""Sets up and runs what the program stands on: engine, plugins, Docker, images, stacks. Knows nothing of `components`."""
