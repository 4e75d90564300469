"""Starting and ending a server process, with stand-ins for the ways in which one can misbehave."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from alphacut_client import EmbeddedServer
from alphacut_client.commands import alphacut
from alphacut_client.embedded import connected
from alphacut_core.errors import InvalidOptionError, ServerStartError

READY = "import sys\nprint('gRPC 127.0.0.1:4711', flush=True)\n"
UNTIL_STDIN_CLOSES = "sys.stdin.read()\n"
StandIn = Callable[[str], None]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_address_is_the_one_that_the_server_prints_and_it_ends_with_the_block(stand_in: StandIn) -> None:
    stand_in(READY + UNTIL_STDIN_CLOSES)
    with EmbeddedServer() as server:
        assert server.url == "127.0.0.1:4711"
        assert is_running(server.pid)
    assert not is_running(server.pid)


def test_it_may_be_entered_again_and_tells_of_the_second_server(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in(
        f"import sys\nfile = open({str(tmp_path / 'starts')!r}, 'a')\nfile.write('x')\nfile.flush()\n"
        "print(f'gRPC 127.0.0.1:{file.tell()}', flush=True)\n"
        "print(f'metrics http://127.0.0.1:{file.tell()}/metrics', flush=True)\n"
        "print(f'start {file.tell()}', file=sys.stderr, flush=True)\n" + UNTIL_STDIN_CLOSES
    )
    server = EmbeddedServer()
    seen = []
    for _ in range(2):
        with server:
            seen.append((server.url, server.metrics_url))
        assert not is_running(server.pid)
    assert seen == [(f"127.0.0.1:{start}", f"http://127.0.0.1:{start}/metrics") for start in (1, 2)]
    assert server.log == "start 2"


def test_the_address_of_metrics_is_known_too(stand_in: StandIn) -> None:
    stand_in(READY + "print('metrics http://127.0.0.1:4712/metrics', flush=True)\n" + UNTIL_STDIN_CLOSES)
    with EmbeddedServer() as server:
        assert server.metrics_url == "http://127.0.0.1:4712/metrics"
        assert server.metrics_url == "http://127.0.0.1:4712/metrics"


def test_a_server_that_ends_without_metrics_is_told_of(stand_in: StandIn) -> None:
    stand_in(READY + "sys.stdin.readline()\n")
    with EmbeddedServer() as server:
        os.kill(server.pid, 9)
        with pytest.raises(ServerStartError, match="named no address of metrics"):
            _ = server.metrics_url


def test_the_repository_is_handed_on(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in(READY + f"open({str(tmp_path / 'seen')!r}, 'w').write(' '.join(sys.argv[1:]))\n" + UNTIL_STDIN_CLOSES)
    with EmbeddedServer("some/where"):
        pass
    assert (tmp_path / "seen").read_text() == "serve --until-stdin-closes --repository some/where"


def test_a_choice_of_networks_and_tiers_is_handed_on(stand_in: StandIn, tmp_path: Path) -> None:
    stand_in(READY + f"open({str(tmp_path / 'seen')!r}, 'w').write(' '.join(sys.argv[1:]))\n" + UNTIL_STDIN_CLOSES)
    with EmbeddedServer(models=["u2netp"], tiers=["full", "lite"]):
        pass
    assert (tmp_path / "seen").read_text() == "serve --until-stdin-closes --model u2netp --tier full --tier lite"


def test_a_server_that_gives_up_tells_its_reason_in_full(stand_in: StandIn) -> None:
    stand_in("import sys\nsys.exit('noise\\nerror: no engine is built; run: alphacut build\\nIts log ends here')\n")
    with pytest.raises(ServerStartError) as caught, EmbeddedServer():
        pass
    assert str(caught.value) == "no engine is built; run: alphacut build\nIts log ends here"


def test_a_server_that_crashes_shows_its_last_words_and_status(stand_in: StandIn) -> None:
    stand_in("import os, sys\nprint('Segmentation fault', file=sys.stderr, flush=True)\nos._exit(7)\n")
    with pytest.raises(ServerStartError, match=r"ended with status 7 .*\nSegmentation fault"), EmbeddedServer():
        pass


def test_a_server_that_never_answers_is_ended_at_the_deadline(stand_in: StandIn) -> None:
    stand_in("import sys\n" + UNTIL_STDIN_CLOSES)
    server = EmbeddedServer(start_timeout_s=0.5)
    with pytest.raises(ServerStartError, match=r"no answer within 0\.5 s"), server:
        pass
    assert not is_running(server.pid)


def test_a_server_that_is_ended_while_it_installs_takes_its_installer_with_it(
    stand_in: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alphacut_client.embedded._ABORT_TIMEOUT_S", 0.2)
    alive = tmp_path / "alive"
    os.mkfifo(alive)  # ends for its reader when neither the server nor the installer holds it any more
    stand_in(
        "import os, subprocess\n"
        f"with open({str(alive)!r}, 'w') as alive:\n"
        "    installer = subprocess.Popen(['sleep', '300'], stdout=alive)\n"
        "    os.close(1)\n"
        "    installer.wait()\n"
    )
    with ThreadPoolExecutor(1) as executor:
        ended = executor.submit(alive.read_bytes)
        with pytest.raises(ServerStartError, match="ended with status -9"), EmbeddedServer():
            pass
        assert ended.result(20) == b""


def test_a_server_that_does_not_listen_is_ended_by_force(stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alphacut_client.embedded._STOP_TIMEOUT_S", 0.2)
    stand_in("import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY + "while True: signal.pause()\n")
    started = time.monotonic()
    with EmbeddedServer() as server:
        pass
    assert not is_running(server.pid)
    assert time.monotonic() - started < 10


FORKED = """
import os
from alphacut_client import EmbeddedServer

reader, writer = os.pipe()
with EmbeddedServer() as server:
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.read(reader, 1)  # until the parent is done
        os._exit(0)
print(server.log)
os.close(writer)
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_child_that_outlives_the_block_keeps_no_server_from_ending_in_good_order(stand_in: StandIn) -> None:
    stand_in(READY + UNTIL_STDIN_CLOSES + "print('ended in good order', file=sys.stderr)\n")
    path = os.pathsep.join([os.environ["PYTHONPATH"], *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-c", FORKED],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": path},
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "ended in good order\n"), done.stderr


def test_a_talkative_server_never_blocks_on_a_full_pipe(stand_in: StandIn) -> None:
    stand_in(
        READY
        + "for number in range(20000):\n"
        + "    print('x' * 40, number, file=sys.stderr)\n"
        + "    print('y' * 40, number)\n"
        + "print('end', file=sys.stderr, flush=True)\n"
        + UNTIL_STDIN_CLOSES
    )
    with EmbeddedServer() as server:
        pass
    assert server.log.splitlines()[-2:] == ["x" * 40 + " 19999", "end"]
    assert len(server.log.splitlines()) == 200


def test_an_address_given_starts_no_server() -> None:
    with connected("127.0.0.1:1", "u2netp", "full") as client:
        assert client.url == "127.0.0.1:1"


def test_an_address_that_is_none_is_refused_with_an_error_that_commands_show() -> None:
    with pytest.raises(InvalidOptionError, match="host and port"), connected("http://127.0.0.1:8001", "u2netp", "full"):
        pass


def test_no_address_starts_a_server_for_as_long_as_the_block_runs(stand_in: StandIn) -> None:
    stand_in(READY + UNTIL_STDIN_CLOSES)
    with connected(None, "u2netp", "full") as client:
        assert client.url == "127.0.0.1:4711"


@pytest.mark.parametrize(
    ("words", "wanted"),
    [((), "--model u2netp --tier full"), (("--model", "isnet", "--mode", "lite"), "--model isnet --tier lite")],
)
def test_a_command_without_an_address_starts_the_network_and_tier_that_it_needs(
    stand_in: StandIn, tmp_path: Path, photo: Callable[..., bytes], words: tuple[str, ...], wanted: str
) -> None:
    stand_in(f"import sys\nopen({str(tmp_path / 'seen')!r}, 'w').write(' '.join(sys.argv[1:]))\nsys.exit('no')\n")
    (tmp_path / "photo.png").write_bytes(photo())
    done = CliRunner().invoke(
        alphacut, ["remove", str(tmp_path / "photo.png"), "-o", str(tmp_path / "cut.png"), *words]
    )
    assert done.exit_code == 1
    assert (tmp_path / "seen").read_text() == f"serve --until-stdin-closes {wanted}"
