"""Signals made from equations: a guitar that plays itself, and reference gear whose behaviour is known."""
