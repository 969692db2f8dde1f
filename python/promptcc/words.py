"""Cuts a text into words and terms, as promptcc does.

A word is a run of letters and digits, with the marks on them. In scripts that
do not separate words by spaces, and in Korean, each character is a word. So is
each pictograph. Two of these words next to each other make a term.
"""

import unicodedata

ALONE = ((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1100, 0x11FF),
         (0x1780, 0x17FF), (0x2190, 0x2BFF), (0x3005, 0x318F),
         (0x31A0, 0x4DBF), (0x4E00, 0xA4CF), (0xAC00, 0xD7FF),
         (0xF900, 0xFAFF), (0xFF66, 0xFFDC), (0x1F000, 0x1FAFF),
         (0x20000, 0x3FFFF))


def words(text):
    """Returns [(start, end, alone)] for each word."""
    found = []
    open_ = False  # whether the last word continues here
    for at, letter in enumerate(text):
        kind = unicodedata.category(letter)
        alone = any(first <= ord(letter) <= last for first, last in ALONE)
        if kind[0] == "M" and open_:
            found[-1][1] = at + 1
        elif kind[0] in "LM" or kind[0] == "N" or (kind == "So" and alone):
            alone = alone and kind[0] != "M"
            if open_ and not alone and not found[-1][2]:
                found[-1][1] = at + 1
            else:
                found.append([at, at + 1, alone])
            open_ = True
        else:
            open_ = False
    return [tuple(one) for one in found]


def terms(text):
    """Returns the terms; a term of two words has a space between them."""
    found = words(text)
    made = []
    paired = False  # the word is the second of the previous term
    for one, following in zip(found, found[1:] + [(None, None, False)]):
        start, end, alone = one
        if alone and following[2] and following[0] == end:
            made.append(f"{text[start:end]} {text[end:following[1]]}")
            paired = True
        else:
            if not (paired and alone):
                made.append(text[start:end])
            paired = False
    return made


def spread(text):
    """Returns the words, separated by spaces."""
    return " ".join(text[start:end] for start, end, _ in words(text))
