"""Objects to CAD poses by Multi-SPARC: candidates, initialisations, the loop, a choice by sigma.

Every object tries some CAD models, retrieved ones of its most probable classes: the first one from
some azimuths, the others from the best pose that has come of that. Candidates take turns: the first
ones of all objects are aligned jointly, then the second ones, and so on, as a map pixel can be
given to one slot only. The best results are polished (see polish), unless the depth is no sensor's:
then sigma alone is the score. Among the results of a class one is chosen by what it scores (see
choice), among classes by that times their probability. An object with a Start tries its CAD model
from the given poses only, with as many updates as the Start says.
"""

import numpy as np

from roomcad_core.candidates import MIN_PROBABILITY, Candidate, furniture, ranked_candidates
from roomcad_core.fit_score import DepthView
from roomcad_core.multi_sparc.choice import worth_polishing
from roomcad_core.multi_sparc.loop import Poses, Slots, load_loop
from roomcad_core.multi_sparc.maps import make_maps
from roomcad_core.multi_sparc.polish import Polish, Tried
from roomcad_core.multi_sparc.poses import are_poses, given_poses, nearest_rotation
from roomcad_core.multi_sparc.start import NO_DEPTH, initial_poses
from roomcad_core.multi_sparc.tasks import Fit, Task, View, alignment_of, box_fault, slot_map
from roomcad_core.pose import rigid
from roomcad_core.types import Alignment, Dropped


class MultiSparcAligner:
    """Aligns all furniture of a frame with the exported loop."""

    def __init__(self, config, library, *loops, updates=(), before=None):
        """
        Args:
            config: AlignConfig, library: Library.
            loops: AlignLoops, the first one for objects without a Start. None given: those that
                `config` names (load_loop), with its and with all other numbers of updates.
            updates: other numbers of updates that a Start may ask for.
            before: an aligner whose loops are not loaded again where they are the same.
        """
        self._config = config
        self._library = library
        self._sizes = _usual_sizes(config, updates)
        if not loops:
            known = before._loops_of(config, self._sizes) if before else {}
            how = {"engine": config.engine, "precision": config.precision}
            loops = [
                known.get(n) or load_loop(config.model, n, sizes=sizes, **how)
                for n, sizes in self._sizes.items()
            ]
        self._loop = loops[0]
        self._loops = {loop.spec.updates: loop for loop in loops}
        self._polish = Polish(config.icp_distance, config.icp_iterations)
        self.dropped = ()  # of the last frame
        self.passes = {}  # object id -> passes of the network, of the last frame
        self.tried = {}  # object id -> [(CAD id, its Tried results)], of the last frame

    @property
    def engine(self):
        """What the network runs on."""
        return self._loop.engine.name

    @property
    def mode(self):
        """What input the network was trained for, one of config.INPUTS."""
        return self._loop.spec.mode

    def _loops_of(self, config, sizes):
        """{number of updates: AlignLoop} as far as they serve under other settings and sizes."""
        names = ("model", "engine", "precision")
        same = all(getattr(config, name) == getattr(self._config, name) for name in names)
        fits = (n for n in self._loops if self._sizes.get(n) == sizes.get(n))
        return {n: self._loops[n] for n in fits} if same else {}

    def __call__(self, frame, segmentation, starts=None):
        """Alignments of all objects that are furniture or have a Start.

        `starts`: {object id: Start}; every other object is aligned from scratch.
        """
        spec, starts = self._loop.spec, starts or {}
        objects = furniture(segmentation, starts)
        self.dropped, self.passes, self.tried = (), {}, {}
        if not objects:
            return ()
        maps = make_maps(frame, segmentation.instances, (spec.height, spec.width))
        tasks = [self._task(obj, maps.grid, starts.get(obj.id)) for obj in objects]
        up = segmentation.T_grav_cam[2, :3]
        depth = DepthView(frame.depth, frame.K, segmentation)
        view = View(maps, up, depth, frame.measured)
        self._try_all([t for t in tasks if isinstance(t, Task)], view)
        choose = self._loop.spec.choose
        results = [t if isinstance(t, Dropped) else alignment_of(t, choose) for t in tasks]
        self.dropped = tuple(r for r in results if isinstance(r, Dropped))
        aligned = (r for r in results if isinstance(r, Alignment))
        return tuple(a for a in aligned if a.score >= self._config.min_score)

    def _task(self, obj, grid, start):
        """Task of an object, or Dropped where there is nothing to align."""
        fault = box_fault(obj.box, grid.shape)
        if fault:
            return Dropped(obj.id, "bad_box", fault)
        if start is not None:
            return self._known_task(obj, grid, start)
        try:
            candidates = ranked_candidates(obj, self._library, self._config)
        except ValueError as error:
            return Dropped(obj.id, "bad_crop", f"no CAD model was retrieved, and {error}")
        if not candidates:
            return Dropped(obj.id, "no_cad", f"the library has no model of {_classes(obj)}")
        return Task(obj, tuple(candidates[: self._config.n_tried]), grid.box(obj.box))

    def _known_task(self, obj, grid, start):
        """Task of an object with a Start."""
        if start.updates not in self._loops:
            raise ValueError(
                f"start of object {obj.id}: got {start.updates} updates, expected one of"
                f" {sorted(self._loops)}"
            )
        if start.cad_id not in self._library:
            return Dropped(obj.id, "no_cad", f"the library has no model {start.cad_id!r}")
        prior = max(start.class_score, MIN_PROBABILITY)
        candidate = Candidate(self._library[start.cad_id], prior)
        return Task(obj, (candidate,), grid.box(obj.box), start)

    def _try_all(self, tasks, view):
        """Add to each Task the Fits of its candidates; those of equal effort go together."""
        for turn in range(max((len(task.candidates) for task in tasks), default=0)):
            together = {}
            for task in tasks:
                if turn < len(task.candidates):
                    together.setdefault(self._effort(task), []).append(task)
            for (updates, _, n_poses), waiting in sorted(together.items()):
                loop = self._loops[updates]
                for first in range(0, len(waiting), loop.spec.objects):
                    group = waiting[first : first + loop.spec.objects]
                    for task, fits in zip(group, self._align(group, turn, loop, view), strict=True):
                        task.fits.extend(fits)
                        passes = self.passes.get(task.obj.id, 0)
                        self.passes[task.obj.id] = passes + n_poses * (updates + 1)

    def _effort(self, task):
        """Number of updates, whether the initial poses are given, and their number."""
        poses = task.known_poses(self._loop.spec.choose)
        updates = task.start.updates if task.start else self._loop.spec.updates
        return updates, bool(poses), len(poses) or self._config.n_yaw

    def _align(self, group, turn, loop, view):
        """Fits of each Task's candidate number `turn`, all of them jointly."""
        tried = [task.candidates[turn] for task in group]
        models = tuple(candidate.model for candidate in tried)
        slots = Slots(
            slot_map(view.maps.ids, [task.obj.id for task in group]),
            np.stack([task.box for task in group]),
            models,
        )
        poses, logits = loop(view.maps, slots, self._initial(group, slots, view))
        usable = are_poses(poses) & np.isfinite(logits)
        results = (self._results(poses, logits, usable, i) for i in range(len(group)))
        each = zip(group, tried, results, strict=True)
        return [self._fits(task.obj, c, found, view) for task, c, found in each]

    def _results(self, poses, logits, usable, i):
        """What came of object i's initialisations, best logit first; [] where none is a pose."""
        return [
            Tried(rigid(nearest_rotation(poses.R[a, i]), poses.T[a, i]),
                  poses.S[a, i].astype(float), float(logits[a, i]))
            for a in np.argsort(-logits[:, i], kind="stable")
            if usable[a, i]
        ]  # fmt: skip

    def _fits(self, obj, candidate, results, view):
        """Fits of a candidate's results that are worth it."""
        n = self._config.n_polished
        if results and self._loop.spec.polished and n and view.measured:
            hopeful = worth_polishing(results)[:n]
            results = [self._polish(r, obj, candidate.model, view.depth) for r in hopeful]
        self.tried.setdefault(obj.id, []).append((candidate.model.id, results))
        return [Fit(candidate, result) for result in results]

    def _initial(self, group, slots, view):
        """Poses that the Tasks of a group begin with: all given, or none."""
        known = [task.known_poses(self._loop.spec.choose) for task in group]
        if known[0]:
            return given_poses(known)
        size = np.stack([model.size for model in slots.models])
        seen = view.maps.depth, slots.instance, view.maps.K, slots.box
        blind = not view.measured and self._config.rgb_start == "3m"
        distance = NO_DEPTH if blind else None
        return Poses(*initial_poses(*seen, size, view.up, self._config.n_yaw, distance))


def _usual_sizes(config, updates):
    """{number of updates: how many initial poses a loop with them usually gets}."""
    from_scratch = tuple(dict.fromkeys((config.n_yaw, 1)))
    return {config.updates: from_scratch} | {n: (1,) for n in updates if n != config.updates}


def _classes(obj):
    return ", ".join([obj.label, *(c for c in obj.class_scores if c != obj.label)][:3])
