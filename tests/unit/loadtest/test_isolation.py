from __future__ import annotations

import subprocess
import sys


def test_the_commands_leave_the_standard_library_as_it_is() -> None:
    """Locust patches it when it is imported, so it runs in processes of its own."""
    program = (
        "import sys, alphacut_loadtest.capacity.cli, alphacut_loadtest.load.cli\n"
        "print(sorted({'gevent', 'locust'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "[]", done.stderr
