"""The central model, its local modulation, and sampling synthetic pairs."""
