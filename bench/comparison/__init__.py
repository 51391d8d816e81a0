"""What bench/compare is made of. It takes ports as the end-to-end tests do."""

import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).parents[2] / "tests" / "e2e"))
