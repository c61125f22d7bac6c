"""Pictures of results: CADs over colour images, rooms from above, animations."""
