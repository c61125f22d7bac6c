"""Furniture class from the words of a catalogue entry: our own rules."""

import re

# Words that make something else of a name in which a furniture word stands too.
OTHER_THINGS = {
    "fan", "freezer", "lamp", "light", "brush", "paper", "holder", "dispenser", "tennis", "bat",
    "basket", "rack", "swing", "sink", "washbasin", "mirror", "wheelchair", "remote", "control",
    "external", "internal", "cloth", "tablecloth", "towel", "rocking horse", "japanese style",
}  # fmt: skip
# Rooms of a catalogue, and tags, under which nothing of our classes stands.
OTHER_ROOMS = {"vehicles", "characters", "lights", "doors and windows", "staircases"}
OTHER_TAGS = {"toy", "game", "sport"}

# Compounds whose last noun misleads.
PHRASES = {
    "tv unit": "cabinet",
    "tv stand": "cabinet",
    "sofa bed": "sofa",
    "desk table": "desk",
    "toilet unit": "toilet",
    "toilets unit": "toilet",
    "dressing table": "desk",
}
NOUNS = {
    "bathtub": ("bath", "bathtub", "tub", "jacuzzi"),
    "bed": ("bed", "crib", "cot"),
    "bin": ("bin", "dustbin", "trashcan", "wastebasket", "trash", "garbage"),
    "bookshelf": ("bookcase", "bookshelf", "shelves", "shelf", "shelving"),
    "cabinet": ("cabinet", "cupboard", "wardrobe", "dresser", "sideboard", "chest", "closet",
                "commode", "drawers", "locker", "nightstand"),
    "chair": ("chair", "armchair", "stool", "barstool"),
    "desk": ("desk",),
    "monitor": ("monitor", "tv", "television", "laptop", "imac"),
    "sofa": ("sofa", "couch", "settee", "loveseat"),
    "table": ("table",),
    "toilet": ("toilet", "toilets", "wc"),
}  # fmt: skip
CLASS_OF = {noun: label for label, nouns in NOUNS.items() for noun in nouns}


def furniture_class(name, category="", tags=""):
    """Class of a catalogue entry, or "" for what is no furniture of our classes.

    The words before "with" name the thing; of several furniture words the last one counts ("desk
    chair" is a chair). Rooms and tags only rule things out.
    """
    if category.strip().lower() in OTHER_ROOMS or OTHER_TAGS & set(_words(tags)):
        return ""
    words = _words(re.split(r"\b(?:with|on|for|without)\b", name.lower())[0])
    text = f" {' '.join(words)} "
    if any(f" {other} " in text for other in OTHER_THINGS):
        return ""
    for phrase, label in PHRASES.items():
        if f" {phrase} " in text:
            return label
    labels = [CLASS_OF[word] for word in words if word in CLASS_OF]
    return labels[-1] if labels else ""


def _words(text):
    return re.findall(r"[a-z]+", text.lower())
