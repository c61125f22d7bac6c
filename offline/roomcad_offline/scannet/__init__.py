"""ScanNet's own data: category names, scans with instances, truth of frame folders."""
