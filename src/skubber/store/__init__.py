"""Where apps and their keys are kept."""
