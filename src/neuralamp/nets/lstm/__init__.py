"""Recurrent nets, LSTM and GRU, after Wright et al. 2019: few numbers, one step a frame."""
