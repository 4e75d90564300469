"""What replicas know together, through Redis; each works on without it."""
