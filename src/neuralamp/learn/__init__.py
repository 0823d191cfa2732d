"""From two takes of one performance to a capture: pairs, losses, training, evaluation."""
