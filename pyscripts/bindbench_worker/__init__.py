"""The Python worker: it imports one lane and times its operations when the driver asks.

What is said and how is written down in `protocol/src/lib.rs`. Only the standard library is used, so that the worker runs in
any interpreter a lane supports, and nothing a lane brings along can collide with it.

    __main__    the loop: one request, one reply
    channel     lines on the two descriptors the driver opened
    worker      what each request does
    inputs      an argument as the driver describes it → the Python object
    timing      the timed loop
    answers     what a call returned or raised → what the driver compares
    texts       what a lane wrote, cut to a length that can be shown
    process     what the process knows of itself
"""
