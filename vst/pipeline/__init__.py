"""From a job to its output: schedule, painting loop, run."""
