"""Video in and out: sources, sinks, scene cuts, beats."""
