"""The scan-gap study: a PointNet trained on CAD meets real scans (the post, reproduced whole)."""
