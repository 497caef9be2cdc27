"""The command line: flags from the settings classes, progress bars, messages."""
