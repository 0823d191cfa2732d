"""Where an amp is learned from a pair of takes."""
