"""The whole state of the simulator, with everything that people, bots and Apps can do to it."""

from __future__ import annotations

import hashlib

from bot.simulator.apps import AppActions
from bot.simulator.faults import Fault, RequestBudget
from bot.simulator.records import Delivery, SimulatedCheckRun, SimulatorError
from bot.simulator.suggestions import SuggestionActions


class GitHubState(SuggestionActions, AppActions):
    """A small GitHub without HTTP: `bot.simulator.app` puts the REST API in front of it."""

    def set_role(self, full_name: str, login: str, role: str) -> None:
        """Give a login "read", "triage", "write", "maintain" or "admin" in a repository."""
        self.actor(login)
        self.repository(full_name).roles[login] = role

    def push_file(
        self, full_name: str, path: str, text: str | None, *, by: str = "maintainer"
    ) -> Delivery:
        """Commit a file to the default branch, or delete it (None); returns the push webhook."""
        with self.lock:
            repository = self.repository(full_name)
            before, existed = repository.head, path in repository.files
            change = "removed" if text is None else "modified" if existed else "added"
            if text is None:
                repository.files.pop(path, None)
            else:
                repository.files[path] = text
            seed = f"{before}{path}{text}".encode()
            repository.head = hashlib.sha1(seed, usedforsecurity=False).hexdigest()
            commit = {"id": repository.head, "added": [], "removed": [], "modified": []}
            content = {
                "ref": f"refs/heads/{repository.default_branch}",
                "before": before,
                "after": repository.head,
                "commits": [commit | {change: [path]}],
            }
            return self.emit("push", by, repository, content)

    def rename_repository(self, full_name: str, new_name: str, *, by: str) -> Delivery:
        """Give a repository another name; its old one redirects from now on."""
        with self.lock:
            repository = self.repositories.pop(full_name.lower())
            owner, _, old = repository.full_name.partition("/")
            for installation in self.installations.values():
                if installation.covers(repository):
                    installation.repositories.remove(repository.full_name)
                    installation.repositories.add(f"{owner}/{new_name}")
            repository.full_name = f"{owner}/{new_name}"
            self.repositories[repository.full_name.lower()] = repository
            self.renamed[full_name.lower()] = repository.full_name
            changes = {"repository": {"name": {"from": old}}}
            return self.emit(
                "repository", by, repository, {"action": "renamed", "changes": changes}
            )

    def transfer_repository(self, full_name: str, new_owner: str, *, by: str) -> Delivery:
        """Give a repository to another account, out of its owner's installations."""
        with self.lock:
            repository = self.repositories.pop(full_name.lower())
            old_owner, name = repository.owner, full_name.partition("/")[2]
            for installation in self.installations.values():
                installation.repositories.discard(repository.full_name)
            repository.owner = self.actor(new_owner)
            repository.full_name = f"{new_owner}/{name}"
            self.repositories[repository.full_name.lower()] = repository
            self.renamed[full_name.lower()] = repository.full_name
            changes = {"owner": {"from": {"user": {"login": old_owner.login}}}}
            content = {"action": "transferred", "changes": changes}
            return self.emit("repository", by, repository, content)

    def set_archived(self, full_name: str, archived: bool, *, by: str) -> Delivery:
        with self.lock:
            repository = self.repository(full_name)
            repository.archived = archived
            action = "archived" if archived else "unarchived"
            return self.emit("repository", by, repository, {"action": action})

    def delete_repository(self, full_name: str, *, by: str) -> Delivery:
        with self.lock:
            gone = self.emit("repository", by, self.repository(full_name), {"action": "deleted"})
            del self.repositories[full_name.lower()]
            return gone

    def delete_issue(self, full_name: str, number: int, *, by: str) -> Delivery:
        with self.lock:
            repository, issue = self._find(full_name, number)
            gone = self._issue_webhook("deleted", repository, issue, by)
            del repository.issues[number]
            self.deleted_issues.add((repository.id, number))
            return gone

    def transfer_issue(self, full_name: str, number: int, to: str, *, by: str) -> Delivery:
        """Move an issue to another repository; its old address redirects from now on.

        Labels go along by name where the other repository has them.
        """
        with self.lock:
            repository, issue = self._find(full_name, number)
            target = self.repository(to)
            gone = self._issue_webhook("transferred", repository, issue, by)
            del repository.issues[number]
            issue.number = target.last_number = target.next_number()
            names = [label.name.lower() for label in issue.labels]
            issue.labels = [target.labels[name] for name in names if name in target.labels]
            target.issues[issue.number] = issue
            old = f"/repos/{repository.full_name}/issues/{number}"
            new = f"/repos/{target.full_name}/issues/{issue.number}"
            self.transferred_issues[old.lower()] = new
            return gone

    def fail_next(self, *faults: Fault) -> None:
        """Queue faults for the next requests, one each."""
        self.faults.extend(faults)

    def fault_for(self, method: str, path: str) -> Fault | None:
        """Take the first queued fault that is meant for this request."""
        with self.lock:
            for fault in self.faults:
                if fault.matches(method, path):
                    self.faults.remove(fault)
                    return fault
            return None

    def budget(self, login: str) -> RequestBudget:
        """The hourly budget of an identity, "" for anonymous requests."""
        with self.lock:
            budget = self.budgets.setdefault(login, RequestBudget())
            budget.refresh(self.clock())
            return budget

    def check_run(self, full_name: str, run_id: int) -> SimulatedCheckRun:
        """:raises StandInError: 404."""
        check_run = self.repository(full_name).check_runs.get(run_id)
        if check_run is None:
            raise SimulatorError(404, "Not Found")
        return check_run
