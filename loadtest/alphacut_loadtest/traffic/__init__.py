"""What is sent: scenarios, arrivals, pictures."""
