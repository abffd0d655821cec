"""What can be proved afterwards: who looked at a citizen's data, that every log is whole, and that a change is found.

Nothing here reads a database of a node by itself, but for the one line that is changed in a copy.
"""
