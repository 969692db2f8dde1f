"""promptcc for DSPy: export a program, load a compiled one, render the same.

    promptcc.export(program, trainset, metric, "job")    a job folder for promptcc
    promptcc.load("job/compiled.json")                   a DSPy program
    promptcc.Adapter("chat")                             promptcc's messages in DSPy
"""

from .adapter import Adapter
from .compiled import load
from .job import export

__all__ = ["Adapter", "export", "load"]
__version__ = "0.1.0"
