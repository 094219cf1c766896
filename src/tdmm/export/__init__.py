"""Motions into the formats of other programs: `.npz .csv .glb .mp4 .png .json`."""

from tdmm.export.formats import ExportOptions, check, extensions, picture_options, save

__all__ = ["ExportOptions", "check", "extensions", "picture_options", "save"]
