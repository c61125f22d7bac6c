"""The per-scene evaluation against a plain, pairwise reading of the published protocols."""

from collections import Counter

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from roomcad_offline.evaluation.appearances import count_appearances
from roomcad_offline.evaluation.categories import NINE, class_name
from roomcad_offline.evaluation.poses import matrices
from roomcad_offline.evaluation.records import SYMMETRY_TURNS, Annotations, Predictions
from roomcad_offline.evaluation.scene_eval import evaluate_scenes
from roomcad_offline.evaluation.scene_rules import preset

CATEGORIES = ("03001627", "04379243", "02818832", "03636649")
KINDS = list(SYMMETRY_TURNS)


def random_annotations(rng, n_scenes=6, n=60):
    """Crowded scans: most models have a neighbour within reach of NMS or of the thresholds."""
    cad = rng.integers(0, 8, n)
    clusters = rng.uniform(-2, 2, (n_scenes, 4, 3))
    scene = np.sort(rng.integers(0, n_scenes, n))
    t = clusters[scene, rng.integers(0, 4, n)] + rng.normal(size=(n, 3)) * 0.3
    yaw = rng.choice([0, 45, 90, 180], n) + rng.normal(size=n) * 10
    half = np.deg2rad(yaw) / 2
    return Annotations(
        scenes=tuple(f"scene{i:04d}_00" for i in rng.permutation(n_scenes)),
        scan_t=rng.normal(size=(n_scenes, 3)),
        scan_q=Rotation.random(n_scenes, rng).as_quat(),
        scan_s=np.ones((n_scenes, 3)),
        scene_index=scene,
        category=np.array(CATEGORIES)[rng.choice(4, n, p=(0.5, 0.3, 0.1, 0.1))],
        cad_id=np.array([f"cad{c}" for c in cad]),
        symmetry=np.array([KINDS[(c + (rng.uniform() < 0.1)) % 4] for c in cad]),
        t=t,
        q=np.stack([0 * half, np.sin(half), 0 * half, np.cos(half)], axis=1),
        s=rng.uniform(0.7, 1.3, (n, 3)),
        center=rng.normal(size=(n, 3)) * 0.05,
        bbox=np.full((n, 3), 0.5),
    )


def random_predictions(rng, a, n=220):
    """Scattered about the annotated poses, for all scans but one, with repeated scores."""
    rows = rng.choice(np.flatnonzero(a.scene_index != 2), n)
    M = np.array([true_matrix(a, row, rng.uniform() < 0.5) for row in rows])
    s = np.linalg.norm(M[:, :3, :3], axis=1)
    R = Rotation.from_matrix(M[:, :3, :3] / s[:, None])
    turn = np.deg2rad(rng.choice([0, 0, 90, 180, 33], n) + rng.normal(size=n) * 12)
    same_class = [
        rng.choice(a.cad_id[(a.category == a.category[r]) & (a.scene == a.scene[r])]) for r in rows
    ]
    return Predictions(
        scene=a.scene[rows],
        frame=np.full(n, ""),
        category=a.category[rows],
        cad_id=np.where(rng.uniform(size=n) < 0.7, a.cad_id[rows], same_class),
        t=M[:, :3, 3] + rng.normal(size=(n, 3)) * 0.08,
        q=(R * Rotation.from_rotvec(np.outer(turn, [0, 1, 0]))).as_quat(),
        s=s * rng.uniform(0.75, 1.3, (n, 3)),
        score=rng.integers(0, 60, n) / 60,
        space="scan",
    )


def true_matrix(a, row, with_center):
    """M of an annotated model in its scan, with T(-center) behind it or not."""
    scan = a.scene_index[row]
    M_scan = matrices(a.scan_t[[scan]], a.scan_q[[scan]], a.scan_s[[scan]])[0]
    M = matrices(a.t[[row]], a.q[[row]], a.s[[row]])[0]
    C = np.eye(4)
    C[:3, 3] = -a.center[row] if with_center else 0
    return np.linalg.inv(M_scan) @ M @ C


def angle(q, q_gt, symmetry):
    """Degrees between two xyzw quaternions, the least over the symmetric turns of the second."""
    m = SYMMETRY_TURNS[symmetry]
    turns = Rotation.from_rotvec(np.outer(np.arange(m) * 2 * np.pi / m, [0, 1, 0]))
    differences = Rotation.from_quat(q_gt) * turns * Rotation.from_quat(q).inv()
    return np.rad2deg(differences.magnitude().min())


class Plain:
    """One evaluator in loops over pairs, as the papers and their tools describe it."""

    def __init__(self, a, p, name):
        self.a, self.p, self.name = a, p, name
        self.kind = np.float32 if name == "roca" else np.float64
        self.seen = [scene for scene in a.scenes if scene in set(p.scene)]
        self.last = {}
        for r in range(len(a)):
            self.last[a.category[r], a.cad_id[r]] = a.symmetry[r]
        self.last_seen = {
            (a.category[r], a.cad_id[r]): a.symmetry[r]
            for r in range(len(a))
            if a.scene[r] in self.seen
        }

    def symmetry(self, r, for_nms=False):
        """Symmetry of predicted CAD r."""
        a, p = self.a, self.p
        key = p.category[r], p.cad_id[r]
        if self.name == "roca":
            for i in range(len(a)):
                if a.scene[i] == p.scene[r] and (a.category[i], a.cad_id[i]) == key:
                    return a.symmetry[i]
        return self.last[key] if for_nms else self.last_seen[key]

    def run(self):
        """Counters of right and annotated models by category."""
        good, total = Counter(), Counter()
        a = self.a
        for scene in a.scenes:
            truths = [r for r in range(len(a)) if a.scene[r] == scene]
            if self.name != "scan2cad":
                truths = [r for r in truths if class_name(a.category[r], NINE) != "other"]
            if scene in self.seen:
                total.update(a.category[r] for r in truths)
                good.update(self.scene(scene, truths))
        if self.name == "roca":
            for r in range(len(a)):
                if a.scene[r] not in self.seen and a.category[r] in total:
                    total[a.category[r]] += 1
        return good, total

    def scene(self, scene, truths):
        p = self.p
        rows = [r for r in range(len(p)) if p.scene[r] == scene]
        if self.name != "scan2cad":
            rows = [r for r in rows if class_name(p.category[r], NINE) != "other"]
            rows = sorted(rows, key=lambda r: -self.kind(p.score[r]))
            kept = []
            for r in rows:
                if not any(self.near(k, r) for k in kept):
                    kept.append(r)
            rows = kept
        free, good = list(truths), []
        for r in self.within_counts(rows, scene):
            fits = [g for g in free if self.is_right(r, g)]
            if fits:
                free.remove(fits[0])
                good.append(self.a.category[fits[0]])
        return good

    def near(self, kept, r):
        p = self.p
        if p.category[kept] != p.category[r]:
            return False
        if np.linalg.norm(p.t[kept].astype(self.kind) - p.t[r].astype(self.kind)) > 0.4:
            return False
        s = p.s[kept].astype(self.kind) / p.s[r].astype(self.kind)
        turned = angle(p.q[r], p.q[kept], self.symmetry(kept, for_nms=True))
        return abs(np.mean(s) - 1) <= 0.6 and turned <= 60

    def within_counts(self, rows, scene):
        counts = Counter()
        for (category, cad), n in count_appearances(self.a)[scene].items():
            counts[(category, cad) if self.name == "scan2cad" else category] += n
        for r in rows:
            key = self.p.category[r]
            key = (key, self.p.cad_id[r]) if self.name == "scan2cad" else key
            if counts[key] > 0:
                counts[key] -= 1
                yield r

    def is_right(self, r, g):
        a, p = self.a, self.p
        if a.category[g] != p.category[r]:
            return False
        M = true_matrix(a, g, self.name == "scan2cad")
        s_gt = np.linalg.norm(M[:3, :3], axis=0)
        q_gt = Rotation.from_matrix(M[:3, :3] / s_gt).as_quat()
        ratio = p.s[r].astype(self.kind) / s_gt.astype(self.kind)
        sparc, others = np.mean(np.abs(ratio - 1)), abs(np.mean(ratio) - 1)
        scale = sparc if self.name == "sparc" else others
        symmetry = self.symmetry(r)
        if self.name != "scan2cad":
            key = a.category[g], a.cad_id[g]
            true = a.symmetry[g] if self.name == "roca" else self.last_seen[key]
            symmetry = symmetry if symmetry == true else "__SYM_NONE"
        t = np.linalg.norm(p.t[r].astype(self.kind) - M[:3, 3].astype(self.kind))
        return t <= 0.2 and scale <= 0.2 and angle(p.q[r], q_gt, symmetry) <= 20


@pytest.mark.parametrize("name", ["scan2cad", "roca", "sparc"])
@pytest.mark.parametrize("seed", range(2))
def test_counts_agree_with_a_pairwise_evaluator_on_crowded_random_scans(name, seed):
    rng = np.random.default_rng(seed)
    a = random_annotations(rng)
    p = random_predictions(rng, a)
    good, total = Plain(a, p, name).run()
    result = evaluate_scenes(p, a, preset(name))
    assert sum(good.values()) > 5, "the comparison needs some right predictions"
    rules = preset(name)
    expected = Counter(), Counter()
    for counter, source in zip(expected, (good, total), strict=True):
        for category, n in source.items():
            counter[class_name(category, rules.classes)] += n
    found = {name: pair[0] for name, pair in result.classes.items() if pair[0]}
    annotated = {name: pair[1] for name, pair in result.classes.items()}
    assert found == {k: n for k, n in expected[0].items() if n}
    assert annotated == dict(expected[1])
