"""PointNet in torch: network, exact fast pooling, training loop, export. Needs torch."""
