"""Motions leave the house: glTF, Live Link CSV, npz, mp4, png, json."""
