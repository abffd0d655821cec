"""`python -m sluis`: the command line."""

from sluis.cli import main

main(prog_name="sluis")
