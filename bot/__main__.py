"""`python -m bot VERB`."""

from bot.cli import main

if __name__ == "__main__":
    main()
