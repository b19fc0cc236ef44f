"""Video input and output: sources, sinks, scene cuts, beats, speed changes."""
