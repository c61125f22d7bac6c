"""The deployed classifier: trained on CAD only, for what a depth camera sees of a real room."""
