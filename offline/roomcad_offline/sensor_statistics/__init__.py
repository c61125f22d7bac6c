"""How a depth and colour camera behaves, measured from its images alone, real or simulated."""
