"""What the campaigns on files share: fresh folders, which calls to take, what is wrong with a file afterwards."""

import shutil

import file_work


def points(calls, most, first=0):
    """At most so many of the calls, spread evenly; another `first` gives others."""
    shift = first * 0.37 % 1  # of a step
    return sorted({1 + int((number + shift) * calls / min(most, calls)) for number in range(min(most, calls))})


def placed(folder, name, old):
    """A fresh folder, with the old file in it."""
    shutil.rmtree(folder / "place", ignore_errors=True)
    (folder / "place").mkdir()
    path = folder / "place" / name
    if old:
        (shutil.copytree if old.is_dir() else shutil.copyfile)(old, path)
    return path


def faults_of_the_next(again, path, after):
    """What is wrong after the same work without a fault."""
    if again.how != "done":
        yield f"it ended {again.how}: {again.text}"
    elif file_work.held_by(path) != after:
        yield "it holds something else"
    if left := sorted(item.name for item in path.parent.iterdir() if item != path):
        yield f"it left {left}"
