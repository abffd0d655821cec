"""Nothing of the demo stays behind, however it ends. Last of all that share one."""

import os
import signal
from pathlib import Path

from tests.acceptance.demos import Up, ended, nodes, running, start, until


def test_a_node_that_ends_by_itself_ends_the_demo_with_its_name(up: Up) -> None:
    os.kill(nodes(up.home)[0], signal.SIGKILL)
    code, _, err = ended(up.process)
    assert code == 6
    assert "draait niet" in err
    assert running(up.home) == []


def test_nodes_end_when_the_demo_itself_is_killed(home: Path) -> None:
    process = start(home)
    assert until(lambda: len(nodes(home)) >= 7)
    process.kill()
    ended(process)
    assert until(lambda: running(home) == [])
