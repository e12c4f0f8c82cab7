"""The chain's pure parts: prior, blend, cuts, promise."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta
from tiny_label_models import save_nli

from tagger.chain.blend import Blend
from tagger.chain.cascade import Cascade
from tagger.chain.chain import Chain
from tagger.chain.members import CHEAP, available, check_measured
from tagger.chain.precision_guarantee import Evidence, examples_needed, lower_bound
from tagger.chain.prior import FeatureMoments
from tagger.errors import NotMeasured
from tagger.statistics.expected_f1 import NEVER, best_expected_f1
from tagger.statistics.log_odds import UsualLogOdds, feature_names
from tagger.statistics.logistic import fit_logistic
from tagger.strategies import REGISTRY

MEMBERS = ("zero-shot", "linear")


def scores(rng, truth, skill):
    odds = rng.normal(size=truth.shape) + skill * truth - 2
    return (1 / (1 + np.exp(-odds))).astype(np.float32)


def test_the_shipped_prior_knows_every_member_and_weighs_any_of_them():
    moments = FeatureMoments.shipped()
    for members in (("zero-shot",), MEMBERS, ("linear", "knn", "naive-bayes")):
        weights = moments.weigh(feature_names(members), np.array([0, 3, 5000]))
        assert weights.slopes.shape == (3, 2 * len(members))
        assert np.isfinite(weights.slopes).all()


def test_a_feature_without_a_prior_is_named():
    with pytest.raises(ValueError, match="oracle:z"):
        FeatureMoments.shipped().weigh(feature_names(("oracle",)), np.array([1]))


def test_a_label_without_examples_is_served_by_zero_shot():
    weights = FeatureMoments.shipped().weigh(feature_names(MEMBERS), np.array([0]))
    zero_shot, linear = np.abs(weights.slopes[0]).reshape(2, 2).sum(axis=1)
    assert zero_shot > linear


def test_probabilities_become_true_where_the_prior_was_wrong():
    rng = np.random.default_rng(0)
    truth = rng.random((600, 2)) < 0.3
    useless, good = scores(rng, truth, 0.0), scores(rng, truth, 3.0)
    usual = [UsualLogOdds.of(useless), UsualLogOdds.of(good)]
    features = np.concatenate([usual[0].features(useless), usual[1].features(good)], axis=-1)
    prior = Blend.from_prior(
        FeatureMoments.shipped(), feature_names(MEMBERS), np.array([0, 0]), np.array([0.05, 0.05])
    )
    before = prior.probabilities(features)
    after = prior.adapted(features, truth).probabilities(features)

    def loss(p):
        return -np.log(np.where(truth, p, 1 - p)).mean()

    assert loss(after) < 0.8 * loss(before)
    assert abs(after.mean() - truth.mean()) < 0.03


def test_without_rows_the_prior_stands():
    centre = np.array([0.3, -0.2])
    found = fit_logistic(np.zeros((0, 2)), np.zeros(0, dtype=bool), centre, np.ones(2))
    assert found == pytest.approx(centre)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_cuts_for_f1_are_no_worse_than_any_common_cut(seed):
    rng = np.random.default_rng(seed)
    p = rng.beta(0.5, 2, size=(80, 3))

    def expected(thresholds):
        given_, hits = (p >= thresholds), np.where(p >= thresholds, p, 0)
        macro = (2 * hits.sum(0) / np.maximum(given_.sum(0) + p.sum(0), 1e-9)).mean()
        micro = 2 * hits.sum() / (given_.sum() + p.sum())
        return 0.5 * micro + 0.5 * macro

    thresholds = best_expected_f1(p, share_of_micro=0.5)
    assert expected(thresholds) >= max(expected(np.full(3, c)) for c in (0.1, 0.3, 0.5, 0.7)) - 1e-9


def test_a_label_that_is_never_likely_is_never_given_and_no_issue_is_no_error():
    assert best_expected_f1(np.zeros((0, 2)), 0.5) == pytest.approx([0.5, 0.5])
    p = np.column_stack([np.full(50, 0.9), np.full(50, 1e-9)])
    assert best_expected_f1(p, share_of_micro=1.0)[1] == NEVER


def test_the_bound_is_clopper_and_pearson_s():
    assert lower_bound(0, 10) == 0
    assert lower_bound(18, 20) == pytest.approx(beta.ppf(0.1, 18, 3))
    size = examples_needed(1.0, 0.9)
    assert lower_bound(size, size) >= 0.9 > lower_bound(size - 1, size - 1)


def test_a_promise_covers_what_it_can_and_says_what_is_missing():
    ranked = np.linspace(1, 0, 200)
    evidence = Evidence.of(ranked, np.arange(200) < 100)
    promise = evidence.promise(0.9)
    assert promise is not None
    assert promise.bound >= 0.9
    assert 0.7 < promise.coverage <= 1
    assert Evidence.of(ranked[:10], np.ones(10, dtype=bool)).promise(0.9) is None
    assert Evidence.of(ranked[:10], np.ones(10, dtype=bool)).missing(0.9) > 5


def test_scores_of_chance_promise_nothing():
    rng = np.random.default_rng(1)
    promised = [Evidence.of(rng.random(300), rng.random(300) < 0.5).promise(0.9) for _ in range(50)]
    assert promised.count(None) == 50


def test_a_promise_holds_on_new_issues_nine_times_in_ten():
    rng = np.random.default_rng(2)

    def draw(n):
        truth = rng.random(n) < 0.4
        return rng.normal(size=n) + 2.0 * truth, truth

    kept = []
    for _ in range(200):
        promise = Evidence.of(*draw(300)).promise(0.9)
        if promise is not None:
            new, truth = draw(20_000)
            kept.append(truth[new >= promise.cut].mean() >= 0.9)
    assert len(kept) > 60
    assert np.mean(kept) >= 0.9


def test_a_member_that_nobody_has_measured_is_refused_by_name(resources, training_set):
    with pytest.raises(NotMeasured, match=r"weigh chain: .*naive-bayes, zero-shot"):
        Chain(resources, members=("zero-shot", "chain")).fit(training_set)


def test_plain_fine_tuning_is_a_member_where_it_is_asked_for():
    """Beside `adapted`, as which it is weighed, it shares a weight."""
    prior = FeatureMoments.shipped()
    both = prior.weigh(feature_names(("fine-tuned", "adapted")), np.array([8.0]))
    alone = prior.weigh(feature_names(("fine-tuned",)), np.array([8.0]))
    assert (alone.slopes == prior.weigh(feature_names(("adapted",)), np.array([8.0])).slopes).all()
    assert both.slopes[0, :2] == pytest.approx(both.slopes[0, 2:])
    assert np.abs(both.slopes[0, :2]).max() < np.abs(alone.slopes[0]).max()


def test_every_strategy_but_the_chain_may_be_a_member():
    check_measured([name for name in REGISTRY if name != "chain"])


def test_which_members_join_follows_from_models_and_labelled_issues(resources):
    without = replace(resources, bert_model=None)
    assert available(without, 1000) == CHEAP
    assert available(resources, 0) == CHEAP
    assert available(resources, 8) == (*CHEAP, "contrastive")
    assert available(resources, 1000) == (*CHEAP, "contrastive", "adapted")


def test_a_tuned_member_is_asked_only_about_what_the_cheap_ones_leave_open(
    resources, training_set, tmp_path
):
    chain = Chain(resources, members=("zero-shot", "linear", "contrastive")).fit(training_set)
    assert chain.learned_.asked["linear"] == 1
    # whatever the cheap ones say counts as decided
    calm = with_margins(chain, 0.0).cascade.predict(training_set.issues)
    assert calm.n_scored == {"zero-shot": 28, "linear": 28, "contrastive": 0}
    chain.learned_ = with_margins(chain, np.inf)
    prediction = chain.learned_.cascade.predict(training_set.issues)
    thorough = prediction.scores
    assert prediction.n_scored["contrastive"] == 28
    assert not np.allclose(calm.scores, thorough)
    chain.save(tmp_path)
    again = Chain(resources).restore(tmp_path)
    assert np.array_equal(again.score(training_set.issues), thorough)
    assert again.learned_.asked == chain.learned_.asked
    assert again.learned_.cascade.margins == (np.inf,)


def with_margins(chain, *margins):
    learned = chain.learned_
    return replace(learned, cascade=replace(learned.cascade, margins=margins))


def test_what_one_call_says_is_its_own_however_many_ask_at_once(resources, training_set):
    """What is learned is frozen, so threads that ask of few and of many issues do not mix."""
    chain = Chain(resources, members=("zero-shot", "linear")).fit(training_set)
    cascade = chain.learned_.cascade
    with pytest.raises(FrozenInstanceError):
        chain.learned_.cascade = cascade  # type: ignore[misc]
    sizes = [1, 28, 3, 17] * 5
    with ThreadPoolExecutor(4) as pool:
        predictions = list(pool.map(lambda n: cascade.predict(training_set.issues[:n]), sizes))
    assert [each.n_scored["linear"] for each in predictions] == sizes
    whole = chain.score(training_set.issues)
    for size, prediction in zip(sizes, predictions, strict=True):
        assert np.allclose(prediction.scores, whole[:size], atol=1e-5)


class Counted:
    """A strategy that keeps how many issues it was asked about each time."""

    def __init__(self, strategy):
        self.strategy, self.asked = strategy, []

    def __getattr__(self, name):
        return getattr(self.strategy, name)

    def score(self, issues):
        self.asked.append(len(issues))
        return self.strategy.score(issues)


def test_entailment_comes_last_and_nobody_is_asked_twice(resources, training_set, tmp_path):
    able = replace(resources, zero_shot_model=save_nli(tmp_path / "nli"))
    members = ("zero-shot", "linear", "contrastive")
    chain = Chain(able, members=members).fit(training_set)
    stages = [stage.members for stage in chain.learned_.cascade.stages]
    assert stages == [members[1:2], members[1:], (*members[1:], "zero-shot")]
    cascade = chain.learned_.cascade
    counted = [replace(each, strategy=Counted(each.strategy)) for each in cascade.members]
    cascade = replace(cascade, members=tuple(counted))
    chain.learned_ = replace(chain.learned_, cascade=cascade)
    # all are open after the first stage, none after the second
    prediction = with_margins(chain, 100.0, 0.0).cascade.predict(training_set.issues)
    assert prediction.n_scored == {"linear": 28, "contrastive": 28, "zero-shot": 0}
    assert [each.strategy.asked for each in counted] == [[28], [28], []]
    chain.learned_ = with_margins(chain, np.inf, 100.0)
    thorough = chain.score(training_set.issues)
    assert [each.strategy.asked for each in counted] == [[28, 28], [28, 28], [28]]
    kept = tmp_path / "chain"
    kept.mkdir()
    chain.save(kept)
    again = Chain(able).restore(kept)
    assert np.allclose(again.score(training_set.issues), thorough)


def staged(early, late, promised, margin):
    """A cascade of two stages that said this of the training issues."""

    def stage(scores):
        return SimpleNamespace(out_of_fold=np.array(scores), thresholds=np.array([0.5]))

    return Cascade(("bug",), (), (stage(early), stage(late)), (margin,), np.array([promised]))


def test_evidence_is_what_will_be_served_each_issue_by_the_stage_that_decides_it():
    early, late = [[0.97], [0.55], [0.03]], [[0.6], [0.95], [0.5]]
    served = staged(early, late, promised=np.inf, margin=1.0).out_of_fold()
    assert served[:, 0].tolist() == [0.97, 0.95, 0.03]
    assert staged(early, late, promised=np.inf, margin=np.inf).out_of_fold().tolist() == late


def test_an_issue_near_the_promised_threshold_is_not_decided_early():
    early, late = [[0.97], [0.03]], [[0.6], [0.5]]
    served = staged(early, late, promised=0.95, margin=1.0).out_of_fold()
    assert served[:, 0].tolist() == [0.6, 0.03]


def test_a_promise_does_not_rest_on_copies(resources, training_set):
    copies = replace(
        training_set,
        numbers=tuple(range(2 * len(training_set))),
        issues=training_set.issues * 2,
        targets=np.concatenate([training_set.targets] * 2),
    )
    chain = Chain(resources, members=("zero-shot", "linear")).fit(training_set)
    doubled = Chain(resources, members=("zero-shot", "linear")).fit(copies)
    assert len(chain.learned_.evidence[0].scores) >= 20
    assert len(doubled.learned_.evidence[0].scores) <= len(training_set) // 10


def test_eight_issues_correct_the_prior_where_every_member_has_scores_of_them(
    resources, training_set
):
    few = training_set.subset(np.arange(8))
    chain = Chain(resources, members=("zero-shot", "linear", "contrastive")).fit(few)
    cheap, whole = chain.learned_.cascade.stages
    assert cheap.blend.correction[:, 1:].any()
    assert not whole.blend.correction[:, 1:].any()
    assert chain.learned_.evidence == ()  # eight issues promise nothing
    fewer = Chain(resources, members=("zero-shot", "linear")).fit(training_set.subset(np.arange(7)))
    assert not fewer.learned_.cascade.stages[-1].blend.correction[:, 1:].any()
