"""Programs that run for long, are killed, or lose their camera, and what is checked then."""
