"""What every setting in `node.toml` means, in Dutch and English, per struct and field: for the published schema and the reference."""

from sluis.config.words.group import GROUP
from sluis.config.words.node import NODE
from sluis.config.words.signing_in import SIGNING_IN
from sluis.config.words.telling import TELLING
from sluis.grounds import Words

WORDS: Words = {**NODE, **GROUP, **SIGNING_IN, **TELLING}
