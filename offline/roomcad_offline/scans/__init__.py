"""RGB-D frames with true instances, rendered from scans of real rooms."""
