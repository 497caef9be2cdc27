"""What comes with the package: the sample slide and the embedded central model."""
