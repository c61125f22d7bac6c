"""Where the alignment of a track's object begins, and with how many updates."""

from roomcad_core.tracks.track import LOST, TRACKED
from roomcad_core.types import OTHER, Start

VOTES = 5.0  # summed probability from which votes against a track's class are heard


def choose_start(track, T_cam_obj, displaced, config):
    """Start of a track's object in this frame, or None: a search from scratch, four azimuths.

    An object that was out of sight is first looked for as it stood: furniture seldom turns. If
    that finds nothing, it is searched for in the next frame. So is one that is seen outside the
    box of its track for the second time.

    Args:
        track: Track, T_cam_obj: (4, 4) where it should be in this frame.
        displaced: whether the object is the track's by its place, but outside the track's box.
        config: TrackConfig.
    """
    is_away = displaced and (track.state != TRACKED or track.away > 0)
    if (
        looks_again(track, config)
        or is_challenged(track)
        or (is_away and not (track.failures and not is_due(track)))
    ):
        return None
    out_of_sight = track.state == LOST and track.reason != "low_score" and not track.failures
    if is_due(track) and not out_of_sight:
        return None
    updates = config.updates_unsure if track.unsure else config.updates_stable
    return Start(track.cad_id, ((T_cam_obj, track.S),), updates, track.class_score)


def rests(track, on_cad, config):
    """Whether a settled track needs no alignment in this frame: it takes turns with the others.

    Args:
        track: Track with a pose in the world that is not displaced.
        on_cad: share of the object's crop that lies on the track's CAD.
        config: TrackConfig.
    """
    settled = track.state == TRACKED and track.sigma >= config.sigma_high
    settled &= track.found > max(config.confirm, config.look_again)
    settled &= track.weight >= config.memory  # its pose is a mean of as many as can be
    stands = not track.unsure and track.away == 0 and on_cad >= config.part
    is_turn = (track.sightings + track.id) % (config.rest + 1) == 0
    return settled and stands and not is_turn and not is_challenged(track)


def looks_again(track, config):
    """Whether a found track is searched for once more: its first views may have shown little."""
    just_found = track.state == TRACKED and track.sigma >= config.sigma_high
    return just_found and track.found == config.look_again


def is_due(track):
    """Whether a track without a trusted pose searches again now."""
    return track.retry_in is not None and track.retry_in <= 0


def is_challenged(track):
    """Whether sightings speak for another class by two to one; twice as many after each search."""
    votes = {c: p for c, p in track.votes.items() if c != OTHER}
    enough = sum(votes.values()) >= VOTES * 2**track.challenges
    return enough and max(votes.values()) > 2 * votes.get(track.label, 0.0)
