"""Schedules of styles over time: timeline, easing, pacing, ordering, alignment and score."""
