"""Archives that someone made by hand: any content, with digests that fit it."""

import sqlite3
import zlib
from contextlib import closing

from held import Memory

from forkbook.backends.archive.file import create
from forkbook.backends.archive.pack import digest, pack
from forkbook.backends.archive.read import COLUMNS, HASH_BYTES, Row, exchanged
from forkbook.backends.archive.text import encoded, hash_of, squeezed


def squeezed_hard(text, dictionary=None):
    """A text as small as it gets, however large it is."""
    press = zlib.compressobj(9, zdict=dictionary) if dictionary else zlib.compressobj(9)
    return press.compress(text) + press.flush()


class Forged:
    """An archive whose parts can be put in one by one; what is put in last is sealed.

    Args:
        path: The file that is made.
    """

    def __init__(self, path):
        create(path)
        self.path = path
        self.db = sqlite3.connect(path, isolation_level=None)
        self.seals = bytes(HASH_BYTES)
        self.leaves = 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.db.execute("INSERT OR REPLACE INTO about VALUES ('threads', ?)", (self.seals,))
        self.db.close()

    def thread(self, thread_id, states, **odd):
        """A thread as forkbook packs it, with some parts in the place of its own.

        Args:
            thread_id: Its id.
            states: Its states.
            **odd: `record`, `skeletons` (texts), `leaves` (stored bodies), `lists` (stored bodies), `namespaces`,
                `ranges` (texts); or another value for a column of its row.
        """
        self.put(pack(Memory({thread_id: states}).thread(thread_id), states), **odd)

    def put(self, packed, **odd):
        """A thread that is packed already; see `thread`."""
        n = self.db.execute("SELECT coalesce(max(n), 0) + 1 FROM threads").fetchone()[0]
        skeletons = odd.pop("skeletons", packed.skeletons)
        bodies = odd.pop("leaves", [squeezed(text) for text in packed.leaves.values()])
        first = self.leaves + 1
        self.leaves += len(bodies)
        numbers = dict(zip(packed.leaves, range(first, self.leaves + 1), strict=False))
        lists = odd.pop("lists", None)
        if lists is None:
            lists = [self.list_body(item, numbers) for item in packed.lists]
        record_text = odd.pop("record", packed.record)
        row = Row(
            n=n,
            id=packed.thread_id,
            record=squeezed(record_text),
            digest=digest(record_text, skeletons),
            namespaces=squeezed(odd.pop("namespaces", encoded(sorted({""})))),
            checkpoints=len(skeletons),
            lists=len(lists),
            leaves=squeezed(odd.pop("ranges", encoded([[first, self.leaves]] if bodies else []))),
            sample=b"",
        )
        cells = {name: getattr(row, name) for name in COLUMNS.split(", ")} | odd
        cells["seal"] = Row(**cells).sealed()
        self.seals = exchanged(self.seals, cells["seal"])
        self.db.execute(f"INSERT INTO threads ({COLUMNS}) VALUES ({','.join('?' * len(cells))})", [*cells.values()])
        for place, text in enumerate(skeletons):
            self.db.execute("INSERT INTO checkpoints VALUES (?, ?, ?, ?)", (n, place, str(place), squeezed(text, b"")))
        for place, body in enumerate(lists):
            self.db.execute("INSERT INTO lists VALUES (?, ?, ?)", (n, place, body))
        for number, body in enumerate(bodies, first):
            self.db.execute("INSERT INTO leaves VALUES (?, ?)", (number, body))

    @staticmethod
    def list_body(item, numbers):
        return squeezed(
            encoded([item.base, *(numbers[part] if isinstance(part, bytes) else part for part in item.parts)])
        )


def hash_of_list(leaf_texts):
    """The hash under which a skeleton names a list of these leaves."""
    return hash_of("list", b"".join(hash_of("leaf", text) for text in leaf_texts))


def endless_lists(path, levels=5):
    """Let an archive's first thread have more rows of lists than anybody can read, each of them no blob.

    Args:
        path: The archive.
        levels: Pages above each other, each with the one below again and again.
    """
    with closing(sqlite3.connect(path)) as db:
        rows = [(1, place, "no blob") for place in range(20_000)]
        with db:
            db.executemany("INSERT OR REPLACE INTO lists VALUES (?, ?, ?)", rows)
        (root,) = db.execute("SELECT rootpage FROM sqlite_master WHERE name = 'lists'").fetchone()
        (size,) = db.execute("PRAGMA page_size").fetchone()
    file = bytearray(path.read_bytes())
    page, number = file[(root - 1) * size : root * size], len(file) // size
    cells = [int.from_bytes(page[12 + 2 * n : 14 + 2 * n]) for n in range(int.from_bytes(page[3:5]))]
    below = page[cells[0] : cells[0] + 4]
    for _ in range(levels):
        for at in (8, *cells):
            page[at : at + 4] = below
        file += page
        number += 1
        below = number.to_bytes(4)
    file[(root - 1) * size : root * size] = page
    file[28:32] = below
    path.write_bytes(file)
