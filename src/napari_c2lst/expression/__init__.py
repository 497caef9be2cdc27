"""The gene predictor: training with and without synthetic pairs, prediction on spots and on a grid."""
