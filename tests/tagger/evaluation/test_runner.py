"""The runner: every cell once, kept at once, the same after a kill; and no leak."""

from contextlib import nullcontext

import numpy as np
import pytest
from invented import invented
from rivals import BOTH, NAMED, VOTES, NameInText, WordVotes

from tagger.domain.issue import IssueText, TrainingSet
from tagger.evaluation.cells import CellKey, CellResult, FolderCells, MemoryCells
from tagger.evaluation.errors import CellDamaged
from tagger.evaluation.figures import figures
from tagger.evaluation.method_digest import method_fingerprint
from tagger.evaluation.runner import Execution, evaluate
from tagger.evaluation.slices import SplitPlan

DATA = invented(120)
PLAN = SplitPlan(slices=("0", "8", "32", "all"))
ALL = (VOTES, NAMED, BOTH)


class Killed(Exception):
    pass


class DyingCells(MemoryCells):
    """Dies, like a process, after so many cells."""

    def __init__(self, lives):
        super().__init__()
        self.lives = lives

    def put(self, key, cell):
        if not self.lives:
            raise Killed
        self.lives -= 1
        super().put(key, cell)


def timeless(cell):
    """What must be the same in every run: all but what the clock said."""
    document = cell.to_json()
    return {
        name: value
        for name, value in document.items()
        if name not in {"fit_seconds", "predict_ms_per_issue", "peak_memory_mb"}
    }


def test_every_strategy_is_scored_on_every_slice_and_only_the_able_on_none():
    result = evaluate(DATA, ALL, PLAN, (0, 1), MemoryCells())
    scored = {(cell.key.strategy, cell.key.slice, cell.key.seed) for cell in result.cells}
    expected = {
        (name, piece, seed)
        for name in ("word-votes", "name-in-text", "both")
        for piece in PLAN.slices
        for seed in (0, 1)
        if (name, piece) != ("word-votes", "0")
    }
    assert scored == expected
    assert len(result.cells) == len(expected)
    for cell in result.cells:
        assert cell.scores.shape == (len(cell.numbers), 4) == cell.decided.shape
        assert cell.fit_seconds >= 0
        assert cell.peak_memory_mb > 1
        assert (cell.applied is not None) is (cell.key.strategy == "both")


def test_issues_of_another_repository_are_counted_and_change_no_figure():
    foreign = tuple(IssueText(f"a cake of {n} eggs") for n in range(20))
    plan = SplitPlan(slices=("32",))
    with_it = evaluate(DATA, ALL, plan, (0,), MemoryCells(), Execution(foreign=foreign))
    without = evaluate(DATA, ALL, plan, (0,), MemoryCells())
    for cell, plain in zip(with_it.cells, without.cells, strict=True):
        assert cell.foreign is not None
        assert plain.foreign is None
        assert cell.key != plain.key
        assert np.array_equal(cell.decided, plain.decided)
        assert cell.foreign.issues == 20
        assert (cell.foreign.applied is None) == (cell.applied is None)
        assert 0 <= cell.foreign.silent <= 20
        assert CellResult.of_json(cell.to_json()).foreign == cell.foreign
    rows = [row.to_json(DATA.names) for row in figures(with_it, 20).rows]
    assert all(row["out_of_scope"]["issues"] == 20 for row in rows)


def test_what_learns_nothing_runs_once_a_test_set_and_is_drawn_flat():
    NameInText.fits = 0
    result = evaluate(DATA, (NAMED,), PLAN, (0, 1), MemoryCells())
    assert NameInText.fits == 2
    rows = [row for row in figures(result, 50).rows if row.seed == 1]
    assert len({row.micro_f1.value for row in rows}) == 1
    assert [row.n_train for row in rows] == [0, 8, 32, 84]
    NameInText.fits = 0
    evaluate(DATA, (NAMED,), SplitPlan(kind="temporal"), (0, 1), MemoryCells())
    assert NameInText.fits == 1  # a temporal split has one test set for all seeds


def test_members_of_an_ensemble_are_not_fitted_twice():
    plan = SplitPlan(slices=("32",))
    WordVotes.fits = 0
    evaluate(DATA, (BOTH,), plan, (0,), MemoryCells())
    alone, WordVotes.fits = WordVotes.fits, 0
    result = evaluate(DATA, (VOTES, BOTH), plan, (0,), MemoryCells())
    assert WordVotes.fits == alone
    lent = result.cells[0]
    assert lent.fit_seconds == 0.5
    apart = evaluate(DATA, (VOTES,), plan, (0,), MemoryCells()).cells[0]
    assert timeless(lent) == timeless(apart)


@pytest.mark.parametrize("lives", [0, 1, 5, 11])
def test_killed_and_resumed_it_gives_the_same_numbers(lives):
    whole = evaluate(DATA, ALL, PLAN, (0, 1), MemoryCells())
    cells = DyingCells(lives)
    with pytest.raises(Killed):
        evaluate(DATA, ALL, PLAN, (0, 1), cells)
    cells.lives = 1000
    told = []
    resumed = evaluate(
        DATA,
        ALL,
        PLAN,
        (0, 1),
        cells,
        Execution(resume=True, progress=lambda *step: told.append(step)),
    )
    assert [timeless(cell) for cell in resumed.cells] == [timeless(cell) for cell in whole.cells]
    assert len(told) == 16 - lives  # 3 x 2 with examples for votes, 2 flat, 4 x 2 for both
    assert told[-1][1:] == (16 - lives, 16 - lives)


def test_without_resume_everything_is_computed_again():
    cells = MemoryCells()
    evaluate(DATA, (VOTES,), PLAN, (0,), cells)
    WordVotes.fits = 0
    evaluate(DATA, (VOTES,), PLAN, (0,), cells)
    assert WordVotes.fits > 0
    WordVotes.fits = 0
    evaluate(DATA, (VOTES,), PLAN, (0,), cells, Execution(resume=True))
    assert WordVotes.fits == 0


def test_cells_of_other_data_are_not_taken():
    cells = MemoryCells()
    evaluate(DATA, (VOTES,), PLAN, (0,), cells)
    WordVotes.fits = 0
    evaluate(invented(120, seed=1), (VOTES,), PLAN, (0,), cells, Execution(resume=True))
    assert WordVotes.fits > 0


class OneBoard:
    """Tasks of one run, as a process sees them that shares it with `workers` others."""

    def __init__(self, held, taken, *, workers=2, waits=0, meanwhile=lambda: None):
        self.held, self.taken, self.workers = held, taken, workers
        self.waits, self.meanwhile = waits, meanwhile

    def take(self, task):
        if task in self.held:
            return None
        self.taken.append(task)
        return nullcontext()

    def wait(self):
        self.meanwhile()
        self.waits -= 1
        return self.waits >= 0

    def expect(self, seconds):
        assert seconds >= 0


def test_a_helper_leaves_to_others_what_they_hold_and_the_first_gathers_it(tmp_path):
    cells, whole = FolderCells(tmp_path), evaluate(DATA, ALL, PLAN, (0, 1), MemoryCells())
    held, mine, others = {"32/0", "all/1"}, [], []
    part = evaluate(
        DATA,
        ALL,
        PLAN,
        (0, 1),
        cells,
        Execution(resume=True, board=OneBoard(held, mine), method="m"),
    )
    assert len(part.cells) < 22
    assert not held & set(mine)

    def the_others():
        board = OneBoard(set(), others)
        evaluate(DATA, ALL, PLAN, (0, 1), cells, Execution(resume=True, board=board, method="m"))

    waiting = OneBoard(held, mine, waits=3, meanwhile=the_others)
    gathered = evaluate(
        DATA, ALL, PLAN, (0, 1), cells, Execution(resume=True, board=waiting, method="m")
    )
    assert sorted(others) == sorted(held)
    assert len(mine) == len(set(mine))
    assert [timeless(cell) for cell in gathered.cells] != []
    for cell, same in zip(gathered.cells, whole.cells, strict=True):
        assert np.array_equal(cell.scores, same.scores)
        assert np.array_equal(cell.decided, same.decided)


def test_cells_of_another_method_are_not_taken():
    cells = MemoryCells()
    evaluate(DATA, (VOTES,), PLAN, (0,), cells, Execution(method="old"))
    WordVotes.fits = 0
    evaluate(DATA, (VOTES,), PLAN, (0,), cells, Execution(resume=True, method="new"))
    assert WordVotes.fits > 0
    WordVotes.fits = 0
    evaluate(DATA, (VOTES,), PLAN, (0,), cells, Execution(resume=True, method="old"))
    assert WordVotes.fits == 0


def test_the_method_is_the_same_as_long_as_the_code_is():
    assert method_fingerprint() == method_fingerprint.__wrapped__()
    assert len(method_fingerprint()) == 64


def test_slices_that_were_asked_for_and_left_out_are_named():
    plan = SplitPlan(slices=("0", "8", "32", "64", "128", "all"))
    result = evaluate(DATA, (VOTES,), plan, (0, 1), MemoryCells())
    assert result.left_out == ("0", "128")  # votes need an example; 84 issues are left to draw from
    assert result.smallest_pool == 84
    assert evaluate(DATA, (BOTH,), PLAN, (0,), MemoryCells()).left_out == ()


def test_the_progress_says_how_long_the_rest_takes():
    ticks = iter(range(0, 10_000, 60))
    told = []
    evaluate(
        DATA,
        (VOTES,),
        PLAN,
        (0,),
        MemoryCells(),
        Execution(
            progress=lambda step, done, total: told.append((step, done, total)),
            clock=lambda: next(ticks),
        ),
    )
    assert told == [
        ("word-votes on slice 8, seed 0 (2 min left)", 1, 3),
        ("word-votes on slice 32, seed 0 (60 s left)", 2, 3),
        ("word-votes on slice all, seed 0 (0 s left)", 3, 3),
    ]


def test_shuffled_labels_score_at_chance_and_true_ones_well_above():
    """The leak test: whatever knew the test set's labels would find them after shuffling too."""
    data = invented(400)
    shuffled = TrainingSet(
        data.labels,
        data.numbers,
        data.issues,
        data.targets[np.random.default_rng(0).permutation(len(data))],
    )
    plan = SplitPlan(slices=("64", "all"))
    skill = {}
    for name, learned in (("true", data), ("shuffled", shuffled)):
        result = evaluate(learned, (VOTES, BOTH), plan, (0, 1, 2), MemoryCells())
        rows = figures(result, 10).rows
        chance = np.mean([[label.support / 120 for label in row.labels] for row in rows])
        skill[name] = np.mean([row.average_precision for row in rows]) - chance
    assert abs(skill["shuffled"]) < 0.05
    assert skill["true"] > 0.4


def test_a_cell_reads_back_as_it_was_written_and_says_when_it_is_damaged(tmp_path):
    result = evaluate(DATA, (BOTH,), SplitPlan(slices=("8",)), (0,), cells := FolderCells(tmp_path))
    cell = result.cells[0]
    again = cells.get(cell.key)
    assert again.to_json() == cell.to_json()
    assert np.array_equal(again.scores, cell.scores)
    assert np.array_equal(again.applied, cell.applied)
    assert cells.get(CellKey("x", "y", "8", 0)) is None
    document = cell.to_json()
    document["numbers"].pop()
    with pytest.raises(CellDamaged, match="without --resume"):
        CellResult.of_json(document)
    [path] = tmp_path.rglob("*.json")
    path.write_text(path.read_text()[:100])
    with pytest.raises(CellDamaged, match="delete it"):
        cells.get(cell.key)
