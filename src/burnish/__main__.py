"""`python -m burnish`: the same program, where no script folder is on the path."""

from burnish.cli.main import main

main()
