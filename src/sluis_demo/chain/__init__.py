"""The migration chain: five partners that tell each other what the other needs to know, and nobody else.

`partners` says who they are and who must know what, `cases` invents people or reads them, `nodes` starts the nodes and has them
make agreements, and `chapters` tells it.
"""
