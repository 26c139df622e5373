"""`python -m detak_collector` is `detak-collector`."""

from detak_collector.cli import main

if __name__ == "__main__":
    main()
