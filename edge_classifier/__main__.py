"""`python -m edge_classifier` is `edge-classifier`."""

import gc
import sys


def program() -> int:
    """Run the command line; also Ctrl-C while it is still being imported is told in one line."""
    gc.disable()  # until a command runs: what is imported stays
    try:
        from edge_classifier.commands.cli import main  # noqa: PLC0415 - within the `try`
        from edge_classifier.device.stop import leave  # noqa: PLC0415 - likewise

        leave(main())
    except KeyboardInterrupt:
        from edge_classifier.device.stop import NO_THREADS, threads_run_out  # noqa: PLC0415 - likewise

        if threads_run_out():
            sys.stderr.write(f"edge-classifier: {NO_THREADS}.\n")
            return 1
        sys.stderr.write("edge-classifier: cancelled: nothing was begun.\n")
        return 130


if __name__ == "__main__":
    sys.exit(program())
