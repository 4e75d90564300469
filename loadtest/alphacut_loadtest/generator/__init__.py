"""The process that sends: Locust's users, and what starts them."""
