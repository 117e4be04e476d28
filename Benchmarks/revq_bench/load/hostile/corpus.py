"""All of it."""

import itertools

from . import arrays, jpeg, json_bodies, multipart, png


def cases(tokens):
    """Made one at a time: together they are gigabytes."""
    return itertools.chain(png.cases(), jpeg.cases(), json_bodies.cases(tokens), arrays.cases(), multipart.cases())
