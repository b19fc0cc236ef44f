"""Which styles at which time: timeline, easing, pacing, score."""
