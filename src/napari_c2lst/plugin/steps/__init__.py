"""One panel for each step: adapt, sample, train, predict, evaluate."""
