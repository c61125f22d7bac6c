"""Binary masks as COCO's run lengths; the code is the core's, whose detections hold them too."""

from roomcad_core.run_lengths import decode_mask, encode_mask, run_lengths

__all__ = ["decode_mask", "encode_mask", "run_lengths"]
