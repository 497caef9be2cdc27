"""Forms made from settings classes: one field, one widget."""
