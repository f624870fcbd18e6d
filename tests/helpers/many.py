"""How many mutants the campaigns on damaged places try, and what goes wrong with them.

20,000 in all, by `pytest -m slow -k "mutants or odd_field"`; FORKBOOK_MUTANTS is another number. A mutant is known by
its number, and each hundred of them are a test of their own.
"""

import os
import resource
import shutil
import sys
import time
import traceback

import pytest

ALL = int(os.environ.get("FORKBOOK_MUTANTS", "20000"))
PARTS = {"stores": 0.3, "archives": 0.33, "JSON files": 0.33}  # the odd fields of a server's answers are the rest
FIRST, AT_A_TIME = 1_000, 100  # those before are of everyday runs
LONGEST = 60  # seconds for one mutant through all operations, on a machine that is busy with others
LARGEST = 200 << 20  # bytes more of memory than before; the first one loads the libraries for pictures


def hundreds(part):
    """A parameter `numbers`, of the numbers of the mutants of a part of the campaign."""
    end = FIRST + round(ALL * PARTS[part])
    numbers = [range(first, min(first + AT_A_TIME, end)) for first in range(FIRST, end, AT_A_TIME)]
    return pytest.mark.parametrize("numbers", numbers, ids=lambda some: f"{some.start}-{some.stop - 1}")


def faults(numbers, folder, make, look):
    """In words, what goes wrong with mutants.

    Args:
        numbers: Theirs.
        folder: An empty one.
        make: Makes the mutant of a number in a folder, and returns it with a word on what is wrong with it.
        look: Reads a mutant; it is to raise nothing.
    """
    found = []
    for number in numbers:
        (place := folder / f"{number}").mkdir()
        mutant, said = make(number, place)
        began, before = time.perf_counter(), peak()
        try:
            look(mutant, place)
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            found.append(f"mutant {number}, {said}: {error!r:.500} at {at.filename.rpartition('/')[2]}:{at.lineno}")
        if (took := time.perf_counter() - began) > LONGEST:
            found.append(f"mutant {number}, {said}: {took:.0f} s")
        if (more := peak() - before) > LARGEST:
            found.append(f"mutant {number}, {said}: {more:,} bytes of memory")
        shutil.rmtree(place)
    return found


def peak():
    """The most bytes of memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
