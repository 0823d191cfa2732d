"""Sequential nets: convolutions, recurrent cells and nonlinearities one after the other, as RTNeural has them."""
