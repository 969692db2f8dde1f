"""promptcc for DSPy: exports programs, loads compiled ones, writes its prompts.

    promptcc.export(program, trainset, metric, "job")    writes a job folder
    promptcc.load("job/compiled.json")                   returns a DSPy program
    promptcc.Adapter("chat")                             promptcc's prompts in DSPy
"""

from .adapter import Adapter
from .compiled import load
from .job import export

__all__ = ["Adapter", "export", "load"]
__version__ = "0.1.0"
