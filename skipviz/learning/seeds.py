"""Trains an experiment from several seeds in lockstep: a frame holds their medians and bands."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic

from torch import Tensor

from ..tasks.data import dataset
from ..tasks.event import Event, applied
from ..tasks.experiment import Experiment, ExperimentError, experiment_from_json
from ..tasks.seeds import obstacle
from ..tasks.uploads import Uploads
from .batches import JointBatches
from .checkpoint import CheckpointError, pack, unpack
from .frame import Frame, VariantFrame
from .median import fill, median, rows_of
from .passes import Batch
from .progress import Progress
from .stacked import Gone, Stack
from .trainer import Trainer
from .variant import Variant

Going = tuple[list[int], Batch, Stack, Gone]
"""A variant's members that train, by place, their batch, what computes them together, and their pass."""


class Seeds(Progress):
    """A run of an experiment from `training.seeds` seeds, with a `Trainer`'s methods; each member is the run of its seed alone.

    Where they can be, members are computed together (`learning.stacked`), else one after the other, a step each. A member that
    diverges leaves the medians, and a variant has diverged when it has in all of them. Pictures are those of the first member that
    trains; weights are the first one's.
    """

    def __init__(self, experiment: Experiment, device: str = "cpu", uploads: Uploads | None = None) -> None:
        super().__init__(experiment)
        data = dataset(experiment.task, uploads)
        self._members = [
            Trainer(experiment.replaced(training=experiment.training.member(place)), device, uploads, data)
            for place in range(experiment.training.seeds)
        ]
        self.device = self._members[0].device
        self.obstacle = obstacle(experiment) if self.device.type == "cpu" else "they are on CUDA"
        """Why the members are computed one after the other; empty where they are together."""
        self._stacks: dict[str, Stack] = {}
        self._batches: tuple[list[Trainer], JointBatches] | None = None
        self.picture_seconds = 0.0
        """That the last picture took, with the held-out metrics beside it."""

    def header(self) -> dict:
        """Return what a viewer needs once; of what hangs on the seed, the first one's."""
        experiment = self.experiment.model_dump(mode="json", exclude_defaults=True)
        seeds = {"count": len(self._members), "batched": not self.obstacle, **({"reason": self.obstacle} if self.obstacle else {})}
        return {**self._members[0].header(), "experiment": experiment, "seeds": seeds}

    def apply(self, event: Event) -> None:
        """Let `event` act on every member before the next step; raises `NetworkError` and changes nothing if it cannot."""
        experiment = applied(self.experiment, event)
        for member in self._members:
            member.apply(event)
        self._acted(event, experiment)

    def advance(self, record: bool, baseline: bool = False, picture: bool = False, passing: bool = False) -> Frame | None:
        """Take one step with every member; return a frame if asked, or if the last member of a variant diverges now."""
        self._check_left()
        members = self._training()
        found = None if self.obstacle else self._together(members, record, baseline, picture, passing)
        if found is None:
            frames = [member.advance(record, baseline, picture, passing) for member in members]
            self.picture_seconds = sum(member.picture_seconds for member in members)
            broken = self._note_diverged()
            found = self._medians(frames, self.experiment.variants if record else broken)
        self.step += 1
        return self._frame(self.step - 1, found) if found else None

    def measure(self, baseline: bool = True, picture: bool = True) -> Frame:
        """Return a frame of the present parameters on the present step's batches; no parameter, statistic or event changes."""
        events = self._events
        frames = [member.measure(baseline, picture) for member in self._training()]
        frame = self._frame(self.step, self._medians(frames, self.experiment.variants))
        self._events = events
        return frame

    def weights(self, variant: str) -> dict[str, Tensor]:
        """Return the first member's parameters and buffers by name; they change with the next step."""
        return self._members[0].weights(variant)

    def state_bytes(self) -> bytes:
        """Return what the next steps of all members depend on; the first one's stands as that of its run alone would."""
        parts = [member.state() for member in self._members]
        own = self._facts()
        tensors = {f"seed{place}/{name}": tensor for place, (_, more) in enumerate(parts) if place for name, tensor in more.items()}
        facts = {**parts[0][0], "seeds": own, "members": [facts for facts, _ in parts[1:]]}
        return pack(facts, parts[0][1] | tensors)

    def load_state(self, data: bytes) -> None:
        """Go on from `state_bytes` of a run of the same experiment, bit for bit; raises `CheckpointError`."""
        facts, tensors = unpack(data)
        try:
            own, all_facts = facts["seeds"], [facts, *facts["members"]]
            if len(all_facts) != len(self._members):
                raise CheckpointError("the checkpoint is of another experiment: it has another number of seeds")
            for place, (member, found) in enumerate(zip(self._members, all_facts, strict=True)):
                mine = f"seed{place}/" if place else ""
                member.set_state(found, {name[len(mine) :]: one for name, one in tensors.items() if name.startswith(mine)})
            self.experiment, self.step, self.applied = experiment_from_json(own["experiment"]), own["step"], own["applied"]
            self.diverged, self._events, self._began = own["diverged"], own["events"], monotonic() - own["seconds"]
        except (LookupError, TypeError, ExperimentError) as error:
            raise CheckpointError(f"the checkpoint does not fit this run: {error}") from None

    def _training(self) -> list[Trainer]:
        """Return the members that have a variant left to train, the first of which paints."""
        members = [member for member in self._members if len(member.diverged) < len(self.experiment.variants)]
        for place, member in enumerate(members):
            member.paints = not place
        return members

    def _together(self, members: list[Trainer], record: bool, baseline: bool, *extras: bool) -> dict[str, VariantFrame] | None:
        """Take a step with all members at once; return what was recorded. None, and nothing is done: a loss is not finite."""
        gone: dict[str, Going] = {}
        for name in self.experiment.variants:
            places = [place for place, member in enumerate(members) if name not in member.diverged]
            if places:
                batch = self._batch([members[place] for place in places])
                stack = self._stack(name, [members[place].living()[name] for place in places])
                done = stack.go(batch, record)
                if done is None:
                    return None
                gone[name] = places, batch, stack, done
        has_more = record and members[0].is_held_out_due(record, *extras)  # all take it at the same steps
        more = self._extras(members, gone, *extras) if has_more else []
        frames = {}
        for name, (places, batch, stack, done) in gone.items():
            own = [more[place][name] for place in places] if more else []
            rows = stack.baseline(batch, self.step) if record and baseline else {}
            measured = stack.update(done, self.step)
            if measured:
                frames[name], fields = measured
                fill(frames[name], fields | rows | (rows_of(own) if own else {}))
                frames[name].picture = next((one["picture"] for one in own if "picture" in one), None)
        for member in members:
            member.taken({}, {}, record)
        return frames

    def _extras(self, members: list[Trainer], gone: dict[str, Going], picture: bool, passing: bool) -> list[dict[str, dict]]:
        """Return what each member's frame of this step has besides what its pass gives, where it has what is held out."""
        began = monotonic()
        outputs: list[dict[str, Tensor]] = [{} for _ in members]
        for name, (places, _, stack, _) in gone.items():
            for place, own in zip(places, stack.evaluate(members[0].held_out_x), strict=True):
                outputs[place][name] = own
        more = [member.extras(True, False, picture, passing, own) for member, own in zip(members, outputs, strict=True)]
        if picture:
            self.picture_seconds = monotonic() - began
        return more

    def _batch(self, members: list[Trainer]) -> Batch:
        """Return the present step's batches of members, one behind the other."""
        if self._batches is None or self._batches[0] != members:
            self._batches = members, JointBatches([member.batches for member in members])
        return members[0].samples(self._batches[1].indices(self.step))

    def _stack(self, name: str, variants: list[Variant]) -> Stack:
        """Return what computes these members of a variant together, made anew when one of them has left."""
        if name not in self._stacks or self._stacks[name].variants != variants:
            self._stacks[name] = Stack(variants)
        return self._stacks[name]

    def _note_diverged(self) -> list[str]:
        """Note variants that have diverged in every member, each by the last of its members; return those that are new."""
        before = set(self.diverged)
        for name in self.experiment.variants:
            ends = [member.diverged[name] for member in self._members if name in member.diverged]
            if name not in self.diverged and len(ends) == len(self._members):
                self.diverged[name] = max(ends, key=lambda end: end["step"])
        return [name for name in self.diverged if name not in before]

    def _medians(self, frames: list[Frame | None], names: Iterable[str]) -> dict[str, VariantFrame]:
        """Return the medians of the variants that are named, each of the members that have not diverged with it."""
        found = {}
        for name in names:
            members = [frame.variants[name] for frame in frames if frame is not None and name in frame.variants]
            if members:
                found[name] = median([member for member in members if member.loss is not None] or members)
        return found

    def _frame(self, step: int, found: dict[str, VariantFrame]) -> Frame:
        """Return the frame of a step."""
        events, self._events = self._events, []
        for name, variant in found.items():
            self._members[0].mark(name, variant)
        return Frame(step, found, events, monotonic() - self._began)


def trainer_of(experiment: Experiment, device: str = "cpu", uploads: Uploads | None = None) -> Trainer | Seeds:
    """Return what trains an experiment; raises `UploadError` where it is one's own data and `uploads` has not got it."""
    return (Trainer if experiment.training.seeds == 1 else Seeds)(experiment, device, uploads)
