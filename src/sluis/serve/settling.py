"""What Python's garbage collector does in a node that runs."""

import gc

_YOUNG = 5_000  # containers, made and not yet freed, after which the youngest are looked through


def settle() -> None:
    """All that start-up made stays: never look through it again, and look through what is new less often.

    A full collection takes some sixty milliseconds with a thousand disclosures, in which nobody is answered; and a question
    leaves nothing behind that only a collection could free.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
