"""What needs no robot: simulated rooms, bags, data sets, training, tables and figures."""
