"""Stand-in for the `ros2` command where PyPI is all there is: launch, run and topic."""
