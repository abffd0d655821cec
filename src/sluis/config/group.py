"""The file with the rules of a group: the same for each of its peers, and read by all of them."""

from pathlib import Path

import msgspec

from sluis.gateway import Group, check_group
from sluis.grounds import faults, read_document, refuse_any


def read_group(file: Path) -> Group:
    """The rules in `group.toml`; anchors count from its folder.

    Raises `Invalid`, the first problem, saying how many there are.
    """
    document = read_document(file)
    refuse_any([fault.problem(document) for fault in faults(document.tables, Group)])
    group = msgspec.convert(document.tables, Group, dec_hook=lambda kind, value: kind(value))
    anchors = tuple(file.absolute().parent / anchor for anchor in group.anchors)
    return check_group(msgspec.structs.replace(group, anchors=anchors), str(file))
