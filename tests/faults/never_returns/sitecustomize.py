"""Put before Python's path, lets a worker loop for ever in step 20 of every run whose variant is called `never-returns`."""

from skipviz.learning.trainer import Trainer

_advance = Trainer.advance


def advance(self, *args, **options):
    while "never-returns" in self.experiment.variants and self.step == 20:
        pass
    return _advance(self, *args, **options)


Trainer.advance = advance
