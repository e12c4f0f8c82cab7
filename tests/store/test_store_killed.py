"""A process killed at any moment loses nothing that it had said was stored."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.database import Store

ACCEPT_FOREVER = """
import sys
from datetime import UTC, datetime
from store.database import Store
from store.records import DeliveryRecord

store, now = Store(sys.argv[1]), datetime.now(UTC)
for place in range(1_000_000):
    with store.begin() as work:
        work.inbox.accept(DeliveryRecord(f"g{place}", "issues", {"place": place}, now))
    print(f"g{place}", flush=True)
"""


def test_what_was_accepted_survives_a_kill(store: Store, database_url: str):
    command = [sys.executable, "-c", ACCEPT_FOREVER, database_url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().strip() for _ in range(25)]
        process.send_signal(signal.SIGKILL)
        said += [line.strip() for line in process.stdout if line.endswith("\n")]
    with store.read() as work:
        accepted = work.inbox.counts()["pending"]
        assert all(work.inbox.find(guid) for guid in said)
    assert len(said) <= accepted <= len(said) + 1
    with store.begin() as work:  # the dead process left no lock behind
        assert work.inbox.purge_payloads(datetime.now(UTC)) == 0
