"""Records what Optuna's TPE sampler chooses: python record.py > optuna.txt

Made with optuna 5.0.0. The scores are an arbitrary function of the choices,
rounded so that their text is exact.
"""

import optuna
from optuna.distributions import CategoricalDistribution
from optuna.trial import create_trial

optuna.logging.set_verbosity(optuna.logging.ERROR)


def score(choices, trial):
    parts = [(c * 37 + i * 11 + c * c * 5) % 17 for i, c in enumerate(choices)]
    noise = ((trial * 7919) % 13) / 130
    return round(sum(parts) / len(choices) / 17 + noise, 6)


def record(seed, space, trials, inject=0, lag=0):
    """inject: after this many trials, one is added again with another score.
    lag: a trial's score is reported when this many more have been asked for."""
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    names = [f"p{i:02d}" for i in range(len(space))]
    kinds = {n: CategoricalDistribution(list(range(k)))
             for n, k in zip(names, space)}
    waiting = []

    def add(choices, value):
        study.add_trial(create_trial(params=dict(zip(names, choices)),
                                     distributions=kinds, value=value))
        print("i", *choices, repr(value))

    print("study", seed, lag, len(space), *space)
    add([0] * len(space), score([0] * len(space), 0))
    for t in range(1, trials):
        trial = study.ask()
        choices = [trial.suggest_categorical(n, list(range(k)))
                   for n, k in zip(names, space)]
        value = score(choices, t)
        print("p", *choices, repr(value))
        waiting.append((trial, value))
        if len(waiting) >= max(lag, 1):
            study.tell(*waiting.pop(0))
        if inject and t % inject == 0:
            add(choices, score(choices, t + 1000))


record(9, [4, 6, 4, 6, 4, 6], 45, inject=5)
record(1, [7, 1, 3, 5, 4], 60)
record(2, [4, 6, 4, 6], 50, lag=3)
