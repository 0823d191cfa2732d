"""Linear nets: an impulse response and nothing else, as a speaker or a tone stack has it."""
