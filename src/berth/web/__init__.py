"""What a running process shows over HTTP: health, readiness, metrics."""
