"""The tests mirror src; `sound.py` and `blocks/samples.py` are what they share. pytest runs them from the repository."""
