"""COCO's class names in the orders that detectors number them in, and what they are to us."""

COCO80 = tuple(
    """person,bicycle,car,motorcycle,airplane,bus,train,truck,boat,traffic light,fire hydrant,
stop sign,parking meter,bench,bird,cat,dog,horse,sheep,cow,elephant,bear,zebra,giraffe,backpack,
umbrella,handbag,tie,suitcase,frisbee,skis,snowboard,sports ball,kite,baseball bat,baseball glove,
skateboard,surfboard,tennis racket,bottle,wine glass,cup,fork,knife,spoon,bowl,banana,apple,
sandwich,orange,broccoli,carrot,hot dog,pizza,donut,cake,chair,couch,potted plant,bed,
dining table,toilet,tv,laptop,mouse,remote,keyboard,cell phone,microwave,oven,toaster,sink,
refrigerator,book,clock,vase,scissors,teddy bear,hair drier,toothbrush""".replace("\n", "").split(
        ","
    )
)
BACKGROUND, UNUSED = "background", "unused"
# Category ids of the COCO files that no class has; id 0 is the background.
GAPS = (12, 26, 29, 30, 45, 66, 68, 69, 71, 83)


def with_gaps():
    """The 91 names by category id, as torchvision's detectors number them."""
    names = iter((BACKGROUND, *COCO80))
    return tuple(UNUSED if i in GAPS else next(names) for i in range(91))


# By the setting `vocabulary`: YOLOX, NanoDet; background first and no gaps; torchvision.
VOCABULARIES = {"coco80": COCO80, "coco81": (BACKGROUND, *COCO80), "coco91": with_gaps()}
# COCO's furniture as classes of ours; it knows no bathtub, bin, bookshelf, cabinet and desk.
FURNITURE = {
    "bed": "bed",
    "chair": "chair",
    "couch": "sofa",
    "dining table": "table",
    "toilet": "toilet",
    "tv": "monitor",
}
