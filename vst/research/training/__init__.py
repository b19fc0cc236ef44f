"""Training: the distillation of the embedded model, and networks for one style (`vst train`)."""
