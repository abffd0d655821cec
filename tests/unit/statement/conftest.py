"""Lets the tests here share `sites` and `grammar`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
