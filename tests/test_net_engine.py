"""The compiled engine for small nets takes the steps that torch takes."""

import copy
import itertools

import numpy as np
import pytest
import torch
from torch import nn

import vectable as vt
from vectable.data.batches import shuffled_batches
from vectable.data.tensors import TensorSet
from vectable.models.embedding_net import EmbeddingNet
from vectable.models.tabular import TabularModel
from vectable.training.engines.job import Job
from vectable.training.engines.nets.engine import NetEngine
from vectable.training.engines.torch_engine import TorchEngine
from vectable.training.options import TrainingOptions
from vectable.training.parameter_groups import freeze_to, parameter_groups
from vectable.training.presets import PRESETS
from vectable.training.schedules import one_cycle_schedule

ROWS = 1600
NO_ROWS = TensorSet((torch.zeros(0, 3, dtype=torch.int32), torch.zeros(0, 4)), torch.zeros(0))
SIZES = [(10, 6), (17, 8), (5, 3)]
BORDERS = [[-2.0, -1.0, 0.0, 1.0, 2.0], [], [-1.0, 1.0], []]


@pytest.fixture(scope="module")
def table():
    """Three category columns, four numbers, a number and a class to predict, and weights."""
    generator = torch.Generator().manual_seed(3)
    codes = torch.stack([torch.randint(0, rows, (ROWS,), generator=generator) for rows, _ in SIZES], 1).int()
    numbers = torch.randn(ROWS, 4, generator=generator)
    value = numbers[:, 0] + codes[:, 1] % 3 + 0.3 * torch.randn(ROWS, generator=generator)
    return codes, numbers, value, (value > 1).long(), torch.rand(ROWS, generator=generator) + 0.5


def made(make, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def tabular(n_outputs=1, layers=(30, 20), **more):
    return made(lambda: TabularModel(SIZES, 4, n_outputs, layers, **more))


def schedule_for(n_steps, n_groups, preset="modern", lr=5e-3):
    lrs, moms = np.full(n_groups, lr), np.array([[0.95, 0.85, 0.95]] * n_groups)
    return one_cycle_schedule(PRESETS[preset].cycle, n_steps, lr_max=lrs, moms=moms)


def job_for(model, loss, opt="adam", rows=NO_ROWS, wd=0.1, **options):
    groups = parameter_groups(model)
    return Job(model, loss, TrainingOptions(opt=opt, **options), groups, [wd] * len(groups), rows)


def engine_for(kind, model, loss, frozen=None, **how):
    if frozen is not None:
        freeze_to(parameter_groups(model), model, 1, train_bn=frozen)
    return kind(job_for(model, loss, **how))


def trained(engine, rows, batch_size=64, n_epochs=1, preset="modern"):
    """Losses of some epochs."""
    plans = [shuffled_batches(len(rows), batch_size, np.random.default_rng(epoch)) for epoch in range(n_epochs)]
    engine.begin(schedule_for(sum(map(len, plans)), len(engine.groups), preset))
    losses = []
    for epoch, plan in enumerate(plans):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(epoch)
            losses += [part.copy() for part in engine.run(plan, rows)]
    return np.concatenate(losses)


def doubled(rows):
    def twice(one):
        return one.double() if one.is_floating_point() else one

    weights = None if rows.weights is None else rows.weights.double()
    return TensorSet(tuple(twice(one) for one in rows.inputs), twice(rows.target), weights)


def by_both(model, loss, rows, n_epochs=1, batch_size=64, **how):
    """The same training by the net engine in 32 bits and by torch in 64, which is what both round."""
    ours, theirs = copy.deepcopy(model), copy.deepcopy(model).double()
    exact = copy.deepcopy(loss).double()
    preset = how.get("preset", "modern")
    net, reference = engine_for(NetEngine, ours, loss, **how), engine_for(TorchEngine, theirs, exact, **how)
    losses = trained(net, rows, batch_size, n_epochs, preset)
    return losses, trained(reference, doubled(rows), batch_size, n_epochs, preset), net, reference


@pytest.mark.parametrize("preset", ["modern", "lesson"])
@pytest.mark.parametrize("what", ["number", "class", "weighted classes"])
def test_twenty_five_steps_have_the_losses_of_torch_in_64_bits(table, preset, what):
    codes, numbers, value, label, weights = table
    if what == "number":
        model, loss, rows = tabular(preset=preset, borders=BORDERS), nn.MSELoss(), TensorSet((codes, numbers), value)
    elif what == "class":
        model, loss = tabular(2, preset=preset), nn.CrossEntropyLoss()
        rows = TensorSet((codes, numbers), label)
    else:
        model, loss = tabular(2, preset=preset), nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0]))
        rows = TensorSet((codes, numbers), label, weights)
    losses, expected, _, _ = by_both(model, loss, rows, preset=preset)
    assert len(losses) == 25
    np.testing.assert_allclose(losses, expected, rtol=0, atol=3e-6)


@pytest.mark.parametrize("opt", ["sgd", "momentum", "rmsprop", "adam"])
@pytest.mark.parametrize("wd_mode", ["decoupled", "l2"])
def test_every_optimizer_and_both_decays_end_at_torchs_weights(table, opt, wd_mode):
    codes, numbers, value, _, weights = table
    model, rows = tabular(y_range=(-6, 8), layers=(20,)), TensorSet((codes, numbers), value, weights)
    losses, expected, net, reference = by_both(model, nn.MSELoss(), rows, opt=opt, wd_mode=wd_mode, n_epochs=2)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    theirs = reference.model.state_dict()
    for name, value in net.model.state_dict().items():
        np.testing.assert_allclose(value.numpy(), theirs[name].numpy(), atol=2e-5, err_msg=name)
    moments, expected = net.state(), reference.state()
    assert moments.keys() == expected.keys()
    for name in moments:
        np.testing.assert_allclose(moments[name].numpy(), expected[name].numpy(), atol=2e-5, err_msg=name)


@pytest.mark.parametrize("train_bn", [True, False])
def test_frozen_groups_stay_and_their_batch_norm_trains_only_where_it_may(table, train_bn):
    codes, numbers, value, _, _ = table
    model = tabular()
    start = copy.deepcopy(model.state_dict())
    losses, expected, net, reference = by_both(model, nn.MSELoss(), TensorSet((codes, numbers), value), frozen=train_bn)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    after, theirs = net.model.state_dict(), reference.model.state_dict()
    for name, value in after.items():
        np.testing.assert_allclose(value.numpy(), theirs[name].numpy(), atol=2e-5, err_msg=name)
    assert torch.equal(after["embeddings.0.weight"], start["embeddings.0.weight"])
    assert not torch.equal(after["layers.0.weight"], start["layers.0.weight"])


def test_a_perceptron_and_an_embedding_net_train_too():
    generator = torch.Generator().manual_seed(1)
    pixels, digits = torch.rand(640, 49, generator=generator), torch.randint(0, 10, (640,), generator=generator)
    layers = made(lambda: nn.Sequential(nn.Linear(49, 20), nn.ReLU(), nn.BatchNorm1d(20), nn.Linear(20, 10)))
    losses, expected, _, _ = by_both(layers, nn.CrossEntropyLoss(), TensorSet((pixels,), digits))
    np.testing.assert_allclose(losses, expected, atol=3e-6)
    users, items = (torch.randint(0, 40, (640,), generator=generator).int() for _ in range(2))
    ratings = torch.randint(1, 6, (640,), generator=generator).float()
    net = made(lambda: EmbeddingNet(40, 40, layers=(12,), y_range=(0.5, 5.5)))
    losses, expected, _, _ = by_both(net, nn.MSELoss(), TensorSet((users, items), ratings))
    np.testing.assert_allclose(losses, expected, atol=3e-6)


@pytest.mark.parametrize("n_rows", [1, 65, 129])
def test_odd_last_batches_and_a_single_row(table, n_rows):
    """A batch of one row uses the running statistics, as the torch engine does."""
    codes, numbers, value, _, _ = table
    rows = TensorSet((codes[:n_rows], numbers[:n_rows]), value[:n_rows])
    losses, expected, net, reference = by_both(tabular(), nn.MSELoss(), rows)
    np.testing.assert_allclose(losses, expected, atol=1e-5)
    for name in ("numbers_norm.running_mean", "numbers_norm.running_var"):
        theirs = reference.model.state_dict()[name].float()
        assert torch.allclose(net.model.state_dict()[name], theirs, atol=1e-6)


def test_dropout_and_masking_hide_the_shares_that_they_name(table):
    """With a rate of 0 nothing moves but the loss: over many epochs its mean is torch's."""
    codes, numbers, value, _, _ = table
    rows = TensorSet((codes, numbers), value)
    model = tabular(ps=(0.3, 0.5), emb_drop=0.2, masking=0.2)
    for norm in (one for one in model.modules() if isinstance(one, nn.BatchNorm1d)):
        norm.requires_grad_(False)
    means = []
    for kind in (NetEngine, TorchEngine):
        engine = engine_for(kind, copy.deepcopy(model), nn.MSELoss(), opt="sgd", wd=0.0)
        engine.begin(schedule_for(25 * 20, len(engine.groups), lr=1e-12))
        losses = []
        for epoch in range(20):
            torch.manual_seed(epoch)
            plan = shuffled_batches(len(rows), 64, np.random.default_rng(epoch))
            losses += [one.copy() for one in engine.run(plan, rows)]
        losses = np.concatenate(losses)
        means.append((losses.mean(), losses.std() / np.sqrt(len(losses))))
    (ours, spread), (theirs, their_spread) = means
    assert abs(ours - theirs) < 5 * np.hypot(spread, their_spread)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(table):
    codes, numbers, value, _, _ = table
    rows = TensorSet((codes, numbers), value)
    ends = []
    for first_epoch in (0, 0, 5):
        engine = engine_for(NetEngine, tabular(ps=(0.3, 0.0), masking=0.1), nn.MSELoss())
        plan = shuffled_batches(len(rows), 64, np.random.default_rng(0))
        engine.begin(schedule_for(len(plan), len(engine.groups)))
        torch.manual_seed(first_epoch)
        list(engine.run(plan, rows))
        ends.append(engine.model.state_dict()["layers.0.weight"].clone())
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


def test_training_taken_up_from_a_snapshot_ends_at_the_same_bits(table):
    codes, numbers, value, _, _ = table
    rows = TensorSet((codes, numbers), value)
    plan = shuffled_batches(len(rows), 64, np.random.default_rng(0))
    schedule = schedule_for(len(plan), 2)
    whole = engine_for(NetEngine, tabular(ps=(0.3, 0.2), masking=0.1), nn.MSELoss())
    whole.begin(schedule)
    torch.manual_seed(9)
    kept = None
    for number, _ in enumerate(whole.run(plan, rows, most=7)):
        if number == 1:
            kept = copy.deepcopy(whole.model.state_dict()), whole.snapshot()
    weights, snapshot = kept
    again = engine_for(NetEngine, tabular(ps=(0.3, 0.2), masking=0.1, layers=(30, 20)), nn.MSELoss())
    again.model.load_state_dict(weights)
    again.restore(schedule, snapshot, 14)
    torch.manual_seed(9)
    list(again.run(plan, rows, first=14))
    for name, value in whole.model.state_dict().items():
        assert torch.equal(value, again.model.state_dict()[name]), name


def test_weights_changed_between_two_epochs_are_what_training_goes_on_from(table):
    codes, numbers, value, _, _ = table
    rows = TensorSet((codes, numbers), value)
    engine = engine_for(NetEngine, tabular(), nn.MSELoss())
    trained(engine, rows)
    with torch.no_grad():
        engine.model.layers[-1].bias.fill_(100.0)
    plan = shuffled_batches(len(rows), 64, np.random.default_rng(0))
    engine.begin(schedule_for(len(plan), 2))
    assert next(engine.run(plan, rows))[0] > 5_000


def test_a_loss_that_is_not_finite_ends_the_epoch(table):
    codes, numbers, value, _, _ = table
    spoiled = value.clone()
    spoiled[17] = float("inf")
    engine = engine_for(NetEngine, tabular(), nn.MSELoss())
    losses = trained(engine, TensorSet((codes, numbers), spoiled))
    assert np.isfinite(losses[:-1]).all()
    assert not np.isfinite(losses[-1])
    assert len(losses) < 25 or not np.isfinite(losses[-1])


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda codes, numbers, label: (codes + 1, numbers, label), "Category column 0 has the code 10"),
        (lambda codes, numbers, label: (codes - 1, numbers, label), "Category column 0 has the code -1, and"),
        (lambda codes, numbers, label: (codes, numbers, label + 1), "A target is class 2"),
    ],
)
def test_codes_and_classes_beyond_the_model_are_a_sentence(table, spoil, sentence):
    codes, numbers, _, label, _ = table
    codes, numbers, label = spoil(codes, numbers, label)
    engine = engine_for(NetEngine, tabular(2), nn.CrossEntropyLoss())
    with pytest.raises(vt.VectableError, match=sentence):
        trained(engine, TensorSet((codes, numbers), label))


def test_what_it_cannot_train_has_a_reason(table):
    codes, numbers, value, label, _ = table
    rows, classes = TensorSet((codes, numbers), value), TensorSet((codes, numbers), label)
    pixels = TensorSet((torch.zeros(4, 3),), torch.zeros(4))
    model = tabular()

    def hooked():
        net = tabular()
        net.layers[0].register_forward_hook(lambda *_: None)
        return net

    for net, loss, opt, some, reason in (
        (model, nn.L1Loss(), "adam", rows, "the loss is another"),
        (model, nn.MSELoss(), torch.optim.Adam, rows, "the optimizer is a function"),
        (tabular(2), nn.CrossEntropyLoss(label_smoothing=0.1), "adam", classes, "without label smoothing"),
        (nn.Sequential(nn.Linear(3, 1), nn.Tanh()), nn.MSELoss(), "adam", pixels, "a layer Tanh"),
        (nn.Linear(3, 1), nn.MSELoss(), "adam", pixels, "the model is Linear"),
        (nn.Sequential(nn.Linear(3, 1)).double(), nn.MSELoss(), "adam", pixels, "32-bit weights"),
        (hooked(), nn.MSELoss(), "adam", rows, "hooks"),
        (nn.Sequential(nn.Linear(3, 1), nn.BatchNorm1d(1, momentum=0.5)), nn.MSELoss(), "adam", pixels, "batch norm"),
    ):
        assert reason in str(NetEngine.why_not(job_for(net, loss, opt, some)))
    assert NetEngine.why_not(job_for(model, nn.MSELoss(), rows=rows)) is None
    assert NetEngine.why_not(job_for(tabular(2), nn.CrossEntropyLoss(), rows=classes)) is None


def test_a_learner_trains_with_it_by_default(table):
    codes, numbers, value, _, _ = table
    pixels = torch.cat([numbers, codes.float()], 1)
    data = vt.TensorData.from_arrays(pixels[:1200], value[:1200], pixels[1200:], value[1200:], bs=64)
    errors = {}
    for engine in ("auto", "torch"):
        net = made(lambda: nn.Sequential(nn.Linear(7, 30), nn.ReLU(), nn.BatchNorm1d(30), nn.Linear(30, 1)))
        learn = vt.Learner(data, net, engine=engine, progress=False).fit_one_cycle(3, 1e-2)
        assert learn.session.engines[0].name == {"auto": "nets"}.get(engine, engine)
        errors[engine] = learn.validate()["valid_loss"]
    assert errors["auto"] == pytest.approx(errors["torch"], rel=1e-3)


def test_a_large_net_is_left_to_torch_unless_it_is_named():
    wide, rows = nn.Sequential(nn.Linear(1001, 1000)), TensorSet((torch.zeros(4, 1001),), torch.zeros(4, 1000))
    assert "the net is large" in str(NetEngine.why_not(job_for(wide, nn.MSELoss(), rows=rows)))
    assert NetEngine.why_not(job_for(wide, nn.MSELoss(), rows=rows, engine="nets")) is None


class Steps(vt.Callback):
    """Counts the steps of each call, and remembers the first layer's weights after each."""

    def __init__(self):
        self.counts, self.weights = [], []

    def on_step_end(self, session, model, losses):
        self.counts.append(len(losses))
        self.weights.append(model[0].weight.detach().clone())


def perceptron(table, **options):
    codes, numbers, value, _, _ = table
    pixels = torch.cat([numbers, codes.float()], 1)
    data = vt.TensorData.from_arrays(pixels[:1200], value[:1200], pixels[1200:], value[1200:], bs=64)
    net = made(lambda: nn.Sequential(nn.Linear(7, 30), nn.ReLU(), nn.Dropout(0.2), nn.Linear(30, 1)))
    return vt.Learner(data, net, progress=False, **options)


def test_who_hears_steps_hears_each_with_its_weights_and_changes_nothing(table):
    steps, quiet, heard = Steps(), perceptron(table), perceptron(table)
    quiet.fit_one_cycle(2, 1e-2)
    heard.fit_one_cycle(2, 1e-2, callbacks=[steps])
    assert heard.session.engines[0].name == "nets"
    assert steps.counts == [1] * 2 * heard.data.n_steps
    assert all(not torch.equal(one, other) for one, other in itertools.pairwise(steps.weights))
    for one, other in zip(quiet.model.parameters(), heard.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_hooks_given_to_a_layer_between_two_fits_are_called_and_the_optimizer_continues(table):
    learn, called = perceptron(table), []
    learn.fit(1, 1e-3)
    learn.model[0].register_forward_hook(lambda *_: called.append(1))
    learn.fit(1, 1e-3)
    assert learn.session.engines[0].name == "torch"
    assert len(called) >= learn.data.n_steps
    state = learn.session.engines[0].state()
    assert float(state["0.weight.step"]) == 2 * learn.data.n_steps
    named = perceptron(table, engine="nets").fit(1, 1e-3)
    named.model[0].register_forward_hook(lambda *_: None)
    with pytest.raises(vt.VectableError, match="nets engine cannot train this: a layer has hooks"):
        named.fit(1, 1e-3)
