"""The other engines, each with the layout and the queries that its documentation recommends and that ran fastest.

The `..._queries` modules have one query for each question. It returns the people; the engine counts them. Sets with few
declared values (tastes, channels) are stored as the bits of a byte.
"""
