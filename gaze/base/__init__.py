"""What every package may use: settings, problems, metrics, the supervisor."""
