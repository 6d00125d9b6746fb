"""Other engines, each with the layout and the queries that its documentation recommends and that ran fastest here.

`..._queries` hold a query a question that gives the people; counting them is left to the engine. Sets of few declared
values (tastes, channels) are bits of a byte.
"""
