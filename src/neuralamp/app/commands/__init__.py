"""The commands, grouped by what a guitarist wants: to learn an amp, to play, to look."""
