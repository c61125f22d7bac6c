"""Making CAD libraries: the built-in one from our generator, others from model collections."""
