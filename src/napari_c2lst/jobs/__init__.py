"""Run a task in this process or in a child process; exactly one terminal event."""
