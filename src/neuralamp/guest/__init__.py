"""Guests: graphs of others, played by onnxruntime in a process of its own, which is all that ever reads them."""
