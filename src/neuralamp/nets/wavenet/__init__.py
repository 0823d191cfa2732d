"""WaveNet: stacks of dilated causal convolutions, after van den Oord et al. 2016 and Wright et al. 2020."""
