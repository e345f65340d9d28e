"""Bundles: a trained model as a folder, checked before it is read, and the predictor that answers from it."""
