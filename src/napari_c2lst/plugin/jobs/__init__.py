"""Tasks in child processes, as Qt objects: one job, and the desk where all jobs of a viewer are."""
