"""What the functions share: settings, the boundary between events and requests, log lines, metrics, traces."""
