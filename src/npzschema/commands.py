"""The commands as they are installed, and what is set before they are imported."""

import signal


def validate_npz() -> None:
    _set()
    from .validator.cli import main

    main()


def generate_npz() -> None:
    _set()
    from .generator.cli import main

    main()


def npz_contract() -> None:
    _set()
    from .contracts.cli import main

    main()


def _set() -> None:
    # An interrupt while modules are imported would be told by a traceback. Nothing has been written yet: until the
    # command itself looks after interrupts, one ends the process at once and without a word.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from .process import prepare

    # Here already: the generator is imported with numpy.
    prepare()
