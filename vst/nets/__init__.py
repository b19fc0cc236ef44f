"""Network definitions in Keras 3, and the file format of their weights; nothing else."""
