"""roomcad without ROS and without torch: from RGB-D frames to CAD models standing in a room."""
