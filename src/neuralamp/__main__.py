"""python -m neuralamp."""

from neuralamp.app.cli import main

if __name__ == "__main__":
    main()
