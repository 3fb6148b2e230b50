"""Picture files that are drawn in several processes."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.sample_booru.catalogue import post_ids
from pipeline.sample_booru.pictures import Pictures, picture, pictures_of_process
from sketch_models.cores import available_cores

SCRIPT = """
import time
from pipeline.sample_booru.pictures import Pictures
if __name__ == "__main__":
    pictures = Pictures(few=0)
    pictures.read(1_500_040, 0)
    print(*pictures._pool._processes, flush=True)
    time.sleep(60)
"""

WORKER = """
import multiprocessing, sys
from pipeline.sample_booru.pictures import pictures_of_process
def draw():
    pictures = pictures_of_process(0)
    pictures._few = 0
    pictures.read(1_500_040, 0)
if __name__ == "__main__":
    worker = multiprocessing.get_context("fork").Process(target=draw)
    worker.start()
    worker.join()
    sys.exit(worker.exitcode)
"""


def test_pictures_are_the_same_from_a_process() -> None:
    ids = post_ids(6)
    with Pictures(few=2) as pictures, ThreadPoolExecutor(3) as threads:
        drawn = list(threads.map(lambda post_id: pictures.read(post_id, 3), ids))
    assert drawn == [picture(post_id, 3) for post_id in ids]


def test_servers_of_a_process_share_its_pictures() -> None:
    assert pictures_of_process(1) is pictures_of_process(1)
    assert pictures_of_process(1) is not pictures_of_process(2)


@pytest.mark.skipif(available_cores() < 2, reason="one core has no processes")
def test_pictures_are_drawn_and_closed_after_processes_are_killed() -> None:
    with Pictures(few=0) as pictures:
        expected = pictures.read(1_500_040, 0)
        for process in multiprocessing.active_children():  # as the end of a build does
            process.terminate()
            process.join()
        assert pictures.read(1_500_040, 0) == expected
    assert not multiprocessing.active_children()


@pytest.mark.skipif(available_cores() < 2, reason="one core has no processes")
@pytest.mark.skipif(sys.platform != "linux", reason="forks")
def test_worker_that_has_drawn_in_processes_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", WORKER], start_new_session=True) as run:
        try:
            assert run.wait(30) == 0
        except BaseException:
            os.killpg(run.pid, signal.SIGKILL)
            raise


@pytest.mark.skipif(available_cores() < 2, reason="one core has no processes")
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_processes_end_when_their_parent_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        children = [int(pid) for pid in run.stdout.readline().split()]
        assert children
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while any(map(is_alive, children)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(map(is_alive, children))


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
