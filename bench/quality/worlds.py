"""Fourteen problems, each with its own rows and its own model.

A world is a made-up task and a made-up student. What the student does with a
prompt is written down in its `answer`. The mechanism differs from world to
world, so that no search can win in all of them by one trick:

    intents     three steps, eight labels; rules for a cue help, and so do demos
                that contain it: wording and demos both matter
    extraction  three fields; a demo of the same template shows where they are:
                demos matter, the instruction does not
    numbers     quantities; an arithmetic rule in the instruction is what helps,
                and many demos confuse: wording matters
    replies     two steps, graded by common words; the house's phrases are
                learned from demos of the topic, or named by the instruction
    complaints  three steps, eight labels in four pairs that share their words:
                only a teacher that sees both of a pair can say what tells them
                apart; some rows harm as demos, and so do too many
    routing     two steps, twelve labels: what the first writes has no label, and
                where it misses the point the second cannot repair it
    ceiling     the student is right on 70 % whatever the prompt says, and long
                prompts make it worse: neither matters
    allergic    every demo harms, and one instruction differs from the next by
                less than two points: what looks better is luck
    hurtful     every demo harms, a rule for a cue helps a little: the gain is
                where a search for demos does not look
    last        demos that cover the labels help, but the student tends to repeat
                the label of the last one: sets of many labels, evenly mixed, win
    middle      three steps; only the one in the middle matters, no row says what
                is right there, and it needs many demos
    noisy       a tenth of the labels to learn from are wrong; such a row harms
                as a demo and leads to a wrong rule
    narrow      messages so long that only about two demos fit into the context
    rare        three of eight labels are rare, and the student hardly thinks of
                them until it is told

The last seven were written before anything was measured on them.
A teacher writes what a prompt lets it see: rules for the cues of the examples
in the prompt, each with some chance. No world knows which optimizer asks. **The
results say nothing about any real model.**
"""

import hashlib
import random
import re


def unit(*parts):
    """Returns a number in [0, 1) that depends on all parts and on nothing
    else."""
    text = "\x1f".join(map(str, parts)).encode()
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2 ** 64


def gauss(*parts):
    return sum(unit(i, *parts) for i in range(12)) - 6


class Prompt:
    """What a student sees."""

    def __init__(self, step, instruction, demos, inputs, asked, heat=0,
                 seed=0):
        self.step = step
        self.instruction = instruction.lower()
        self.demos = demos      # list of (joined inputs, outputs by name)
        self.inputs = inputs    # by name
        self.asked = asked      # names of output fields
        self.heat = heat        # temperature
        self.seed = seed        # matters above temperature 0
        self.text = "\n".join(inputs.values())

    def names(self, *words):
        return all(word in self.instruction for word in words)


class World:
    name = ""
    job = ""
    n_train, n_held = 96, 400
    num_ctx = 16384             # tokens that a prompt may have
    skill_of_teacher = 0.25     # added to the student's skill
    teacher = "able"            # or "dull": it has learned no rule

    def __init__(self):
        self.rng = random.Random(self.name)
        self.by_text = {}
        self.prepare()
        self.rows = [self.make(i) for i in range(self.n_train + self.n_held)]
        self.rng.shuffle(self.rows)

    def prepare(self):
        """Draws what all rows are made of, before the first row."""

    def make(self, i):
        """Makes row i, which can be found by the texts that it is entered
        under."""
        raise NotImplementedError

    def enter(self, row, *texts):
        """Registers the texts of a prompt by which the row can be found."""
        self.by_text.update(dict.fromkeys(texts, row))
        return row

    def word(self, letters="bcdfglmnprst"):
        """Returns a made-up word of three syllables."""
        return "".join(self.rng.choice(letters) + self.rng.choice("aeiou")
                       for _ in range(3))

    def truth(self, text):
        for line in text.split("\n"):
            if line in self.by_text:
                return self.by_text[line]
        return None

    def shown(self, prompt):
        """Returns the rows that the demos show."""
        found = (self.truth(inputs) for inputs, _ in prompt.demos)
        return [row for row in found if row is not None]

    def right(self, skill, row, prompt, teacher):
        """Returns whether the skill exceeds the difficulty of the row plus a
        random effect of the wording. A temperature makes this effect larger,
        and different for each seed."""
        skill += self.skill_of_teacher * teacher
        whim = gauss(row["id"], prompt.instruction, len(prompt.demos),
                     prompt.demos[-1:] or "",
                     *([prompt.seed] if prompt.heat > 0 else []))
        return skill + (0.06 + 0.12 * prompt.heat) * whim > row["hard"]

    def rules(self, rows):
        """Returns lines that a teacher may write, having seen these rows."""
        return []


NONSENSE = ("please", "hello", "today", "again", "just", "well", "really",
            "my", "the", "about", "since", "monday", "still", "now", "kindly")


class Intents(World):
    name = "intents"
    labels = ("refund", "exchange", "cancel", "delay", "damage", "invoice",
              "account", "warranty")
    job = """
inputs: {message: {desc: What a customer wrote}}
steps:
  sort:
    predict: Sort the message.
    inputs: [message]
    outputs:
      intent: {enum: [refund, exchange, cancel, delay, damage, invoice, account, warranty]}
      sure: {type: float, min: 0, max: 1}
  find:
    predict: Find the facts.
    inputs: [message]
    outputs: {facts: {desc: One line}}
  reply:
    chain_of_thought: Answer the customer.
    inputs: {message: , intent: sort.intent, facts: find.facts}
    outputs: {reply: {desc: A polite reply}}
outputs: {intent: sort.intent, reply: reply.reply}
metric: {exact_match: intent}
"""

    def prepare(self):
        self.label_of = {self.word("bdfgklmnprstvz"): label
                         for label in self.labels for _ in range(6)}
        self.cues = sorted(self.label_of)

    def make(self, i):
        cue = self.cues[i % len(self.cues)]
        label = self.label_of[cue]
        fill = self.rng.sample(NONSENSE, 6)
        fill.insert(self.rng.randrange(7), cue)
        text = " ".join(fill) + f" {i}."
        others = [one for one in self.labels if one != label]
        row = {"id": i, "cue": cue, "hard": self.rng.random(),
               "rival": others[int(unit(cue) * len(others))],
               "fields": {"message": text, "intent": label}}
        return self.enter(row, text)

    def answer(self, prompt, teacher):
        row = self.truth(prompt.text)
        if row is None or prompt.step != "sort":
            return {name: "As you say." for name in prompt.asked}
        shown = self.shown(prompt)
        labels = {one["fields"]["intent"] for one in shown}
        label = row["fields"]["intent"]
        skill = 0.42
        skill += 0.4 * (prompt.names(row["cue"]) and label in
                        prompt.instruction)
        skill += 0.25 * any(one["cue"] == row["cue"] for one in shown)
        skill += 0.2 * len(labels) / len(self.labels)
        skill += 0.12 * (1 - 0.6 ** len(shown))
        skill -= 0.15 * bool(shown and label not in labels)
        good = self.right(skill, row, prompt, teacher)
        return {"intent": label if good else row["rival"],
                "sure": 0.9 if good else 0.6}

    def rules(self, rows):
        return [f"Where it speaks of {row['cue']}, the intent is "
                f"{row['fields']['intent']}." for row in rows]


class Extraction(World):
    name = "extraction"
    job = """
inputs: {note: {desc: A delivery note}}
steps:
  read:
    predict: Read the note.
    inputs: [note]
    outputs:
      number: {desc: Number of the order}
      day: {desc: Day of delivery}
      sum: {desc: Sum to pay}
metric: {fields: [number, day, sum]}
"""
    keys = ("number", "day", "sum")

    def prepare(self):
        self.kinds = [(self.rng.sample(NONSENSE, 4),
                       self.rng.sample(self.keys, 3)) for _ in range(14)]

    def values(self):
        return {"number": f"R{self.rng.randrange(1000, 9999)}",
                "day": f"{self.rng.randrange(1, 29)}.{self.rng.randrange(1, 13)}.",
                "sum": f"{self.rng.randrange(5, 900)}.50"}

    def make(self, i):
        kind = i % len(self.kinds)
        words, order = self.kinds[kind]
        truth, trap = self.values(), self.values()
        text = " ".join(f"{word} {trap[key]} {key[0]}{kind} {truth[key]}"
                        for word, key in zip(words, order))
        row = {"id": i, "kind": kind, "trap": trap, "hard": self.rng.random(),
               "fields": {"note": text, **truth}}
        return self.enter(row, text)

    def answer(self, prompt, teacher):
        row = self.truth(prompt.text)
        shown = self.shown(prompt)
        out = {}
        kinds = {one["kind"] for one in shown}
        for at, key in enumerate(self.keys):
            skill = 0.3 + 0.55 * (row["kind"] in kinds)
            skill += 0.02 * min(len(kinds), 14)
            one = dict(row, id=row["id"] * 3 + at,
                       hard=unit(row["id"], key))
            good = self.right(skill, one, prompt, teacher)
            out[key] = row["fields"][key] if good else row["trap"][key]
        return out

    def rules(self, rows):
        return ["Of two values that could be meant, take the second."]


class Numbers(World):
    name = "numbers"
    job = """
inputs: {order: {desc: An order in words}}
steps:
  count:
    predict: Count the bottles.
    inputs: [order]
    outputs: {bottles: {type: int, min: 0}}
metric: {numeric: bottles}
"""
    kinds = ("crates", "pallets", "dozens", "returns", "samples", "spares",
             "halves", "refills")

    def make(self, i):
        kind = self.kinds[i % len(self.kinds)]
        a, b = self.rng.randrange(2, 40), self.rng.randrange(2, 12)
        factor = self.kinds.index(kind) + 2
        text = f"{a} {kind} and {b} loose ones, order {i}"
        row = {"id": i, "kind": kind, "hard": self.rng.random(), "naive": a + b,
               "fields": {"order": text, "bottles": a * factor + b}}
        return self.enter(row, text)

    def answer(self, prompt, teacher):
        row = self.truth(prompt.text)
        shown = self.shown(prompt)
        alike = sum(one["kind"] == row["kind"] for one in shown)
        skill = 0.25 + 0.6 * prompt.names(row["kind"], "each")
        skill += 0.1 * min(alike, 3) - 0.012 * len(shown)
        good = self.right(skill, row, prompt, teacher)
        return {"bottles": row["fields"]["bottles"] if good else row["naive"]}

    def rules(self, rows):
        return [f"Of {row['kind']}, each is "
                f"{self.kinds.index(row['kind']) + 2} bottles."
                for row in rows]


class Replies(World):
    name = "replies"
    topics = ("garden", "kitchen", "garage", "office", "cellar")
    job = """
inputs: {question: {desc: A customer's question}}
steps:
  topic:
    predict: Name the topic.
    inputs: [question]
    outputs: {topic: {enum: [garden, kitchen, garage, office, cellar]}}
  reply:
    predict: Write the reply.
    inputs: {question: , topic: topic.topic}
    outputs: {reply: {desc: One sentence}}
outputs: {reply: reply.reply}
metric: {token_f1: reply}
"""

    def prepare(self):
        self.words = {topic: [self.word() for _ in range(8)]
                      for topic in self.topics}

    def make(self, i):
        topic = self.topics[i % len(self.topics)]
        thing = f"item{i}"
        used = self.rng.sample(self.words[topic], 5)
        text = " ".join(self.rng.sample(NONSENSE, 5)) + \
            f" {topic[:4]}{self.rng.randrange(9)} {thing}?"
        row = {"id": i, "topic": topic, "thing": thing,
               "hard": self.rng.random(),
               "fields": {"question": text,
                          "reply": " ".join(["about", thing] + used)}}
        return self.enter(row, text)

    def answer(self, prompt, teacher):
        row = self.truth(prompt.text)
        shown = self.shown(prompt)
        if prompt.step == "topic":
            seen = {one["topic"] for one in shown}
            skill = 0.6 + 0.3 * (row["topic"] in seen)
            skill += 0.2 * prompt.names(row["topic"][:4] + "0", row["topic"])
            if self.right(skill, row, prompt, teacher):
                return {"topic": row["topic"]}
            return {"topic": self.topics[row["id"] * 7 % len(self.topics)]}
        topic = prompt.inputs.get("topic", "")
        known = {word for one in shown if one["topic"] == topic
                 for word in one["fields"]["reply"].split()[2:]}
        known |= {word for word in self.words.get(topic, ())
                  if word in prompt.instruction}
        plain = ["thank", "you", "for", "writing", "we", "help"]
        said = sorted(known)[:8] or plain
        return {"reply": " ".join(["about", row["thing"]] + said)}

    def rules(self, rows):
        return [f"On the {row['topic']} ({row['topic'][:4]}0 and the like), "
                f"say {' '.join(row['fields']['reply'].split()[2:])}."
                for row in rows]


class Ceiling(World):
    name = "ceiling"
    job = """
inputs: {claim: {desc: A claim}}
steps:
  check:
    predict: Say whether the claim holds.
    inputs: [claim]
    outputs: {verdict: {enum: [holds, fails, open]}}
metric: {exact_match: verdict}
"""

    def make(self, i):
        text = " ".join(self.rng.sample(NONSENSE, 7)) + f" {i}"
        verdict = ("holds", "fails", "open")[i % 3]
        row = {"id": i, "hard": self.rng.random(),
               "fields": {"claim": text, "verdict": verdict}}
        return self.enter(row, text)

    def answer(self, prompt, teacher):
        row = self.truth(prompt.text)
        skill = 0.7 - 0.005 * len(prompt.demos)
        skill -= 0.05 * (len(prompt.instruction) > 1500)
        if self.right(skill, row, prompt, 0):
            return {"verdict": row["fields"]["verdict"]}
        wrong = {"holds": "fails", "fails": "open", "open": "holds"}
        return {"verdict": wrong[row["fields"]["verdict"]]}


class Complaints(World):
    """Eight labels in four pairs that share their words. What tells a pair
    apart is a turn of phrase that no single word gives away, so only a teacher
    that sees both labels can say it. Demos that cover the labels help, and near
    ones help more. A tenth of the rows are odd and harm as demos. So do too
    many demos, a long instruction, and a wrong rule."""

    name = "complaints"
    labels = ("late", "lost", "broken", "wrong_item", "overcharged",
              "double_charge", "locked_out", "hacked")
    job = """
inputs: {message: {desc: What a customer wrote}}
steps:
  tone:
    predict: Say how the customer feels.
    inputs: [message]
    outputs: {tone: {desc: One word}}
  label:
    predict: Label the complaint.
    inputs: {message: , tone: tone.tone}
    outputs:
      kind: {enum: [late, lost, broken, wrong_item, overcharged, double_charge, locked_out, hacked]}
  reply:
    predict: Answer the customer.
    inputs: {message: , kind: label.kind}
    outputs: {reply: {desc: A polite reply}}
outputs: {kind: label.kind, reply: reply.reply}
metric: {exact_match: kind}
"""

    def prepare(self):
        self.topics = [[self.word() for _ in range(10)] for _ in range(4)]
        pairs = [(a, b) for a in NONSENSE for b in NONSENSE if a != b]
        self.turns = {label: self.rng.sample(pairs, 4)
                      for label in self.labels}

    def make(self, i):
        at = i % 8
        label = self.labels[at]
        turn = self.rng.randrange(4)
        words = self.rng.sample(self.topics[at // 2], 3)
        words[1:1] = self.turns[label][turn]
        text = " ".join(self.rng.sample(NONSENSE, 3) + words) + f" {i}."
        row = {"id": i, "turn": turn, "label": label,
               "rival": self.labels[at ^ 1], "odd": i % 10 == 3,
               "hard": self.rng.random(),
               "fields": {"message": text, "kind": label}}
        return self.enter(row, text)

    def answer(self, prompt, teacher):
        row = self.truth(prompt.text)
        if row is None or prompt.step != "label":
            return {name: "Upset." for name in prompt.asked}
        shown = self.shown(prompt)
        label = row["label"]
        mine = [one for one in shown if one["label"] == label]
        both = mine and any(one["label"] == row["rival"] for one in shown)
        skill = 0.43 + 0.22 * bool(both) + 0.05 * len(
            {one["label"] for one in shown}) / 8
        skill += 0.1 * any(one["turn"] == row["turn"] for one in mine)
        skill -= 0.1 * any(one["odd"] for one in mine)
        skill -= 0.12 * bool(shown and not mine)
        skill -= 0.008 * max(0, len(shown) - 16)
        skill += 0.24 * prompt.names(f"`{label}` rather than")
        skill -= 0.2 * prompt.names(f"never `{label}`")
        skill -= 0.04 * len(prompt.instruction) / 2000
        good = self.right(skill, row, prompt, teacher)
        return {"kind": label if good else row["rival"]}

    def rules(self, rows):
        """Returns rules. The teacher can tell a pair apart only if it sees both
        labels, and is sometimes wrong."""
        seen = {row["label"] for row in rows}
        lines = [f"`{row['label']}` rather than `{row['rival']}` where it is "
                 "put that way." for row in rows if row["rival"] in seen]
        return lines + [f"Take `{row['rival']}`, never `{row['label']}`, where "
                        "it is not clear." for row in rows if row["odd"]]


class Routing(World):
    """Two steps, twelve labels. The second step relies on what the first
    writes, and no row says what is right there. Twelve demos that cover the
    labels are worth most with the second step. The first needs an instruction
    or its own demos, and only then is the rest within reach."""

    name = "routing"
    labels = tuple(f"desk_{c}" for c in "abcdefghijkl")
    job = """
inputs: {letter: {desc: A letter to the town hall}}
steps:
  gist:
    predict: Say what the letter is about.
    inputs: [letter]
    outputs: {gist: {desc: A few words}}
  route:
    predict: Choose the desk.
    inputs: {gist: gist.gist}
    outputs:
      desk: {enum: [desk_a, desk_b, desk_c, desk_d, desk_e, desk_f, desk_g, desk_h, desk_i, desk_j, desk_k, desk_l]}
metric: {exact_match: desk}
"""
    first, second = 0.62, 0.55

    def prepare(self):
        self.words = [[self.word() for _ in range(6)] for _ in range(12)]

    def make(self, i):
        at = i % 12
        key = self.rng.sample(self.words[at], 2)
        text = " ".join(self.rng.sample(NONSENSE, 4) + key) + f" {i}."
        row = {"id": i, "label": self.labels[at], "key": key,
               "rival": self.labels[(at + 5) % 12],
               "hard": self.rng.random(), "hard_gist": self.rng.random(),
               "fields": {"letter": text, "desk": self.labels[at]}}
        return self.enter(row, text, self.clear_gist(row), self.vague_gist(row))

    def clear_gist(self, row):
        return "on " + " and ".join(row["key"]) + f" ({row['id']})"

    def vague_gist(self, row):
        return f"some matter ({row['id']})"

    def answer(self, prompt, teacher):
        row = self.truth(prompt.text)
        if row is None:
            return {name: "As you say." for name in prompt.asked}
        shown = self.shown(prompt)
        if prompt.step == "gist":
            skill = self.first
            skill += 0.35 * prompt.names("keep the rare words")
            skill += 0.1 * min(len(shown), 3)
            good = self.right(skill, dict(row, hard=row["hard_gist"]), prompt,
                              teacher)
            return {"gist": self.clear_gist(row) if good
                    else self.vague_gist(row)}
        labels = {one["label"] for one in shown}
        skill = self.second + 0.4 * (row["label"] in labels)
        skill += 0.05 * min(1, len(shown) / 24)
        skill += 0.15 * prompt.names(row["key"][0]) * prompt.names(row["label"])
        skill -= 0.1 * bool(shown and row["label"] not in labels)
        if "some matter" in prompt.text:
            skill = 0.1
        good = self.right(skill, row, prompt, teacher)
        return {"desk": row["label"] if good else row["rival"]}

    def rules(self, rows):
        return [f"Letters on {row['key'][0]} go to {row['label']}."
                for row in rows] + ["Keep the rare words of the letter."] * (
                    len(rows) > 0)


class Cues(World):
    """Messages with eight labels. One made-up word of a message, its cue,
    determines the label. The worlds below differ in what a prompt is worth
    (`skill`)."""

    labels = ("alpha", "bravo", "coral", "delta", "ember", "fjord", "grove",
              "haven")
    cues_of_a_label = 5
    job = """
inputs: {message: {desc: A message}}
steps:
  sort:
    predict: Sort the message.
    inputs: [message]
    outputs:
      kind: {enum: [alpha, bravo, coral, delta, ember, fjord, grove, haven]}
metric: {exact_match: kind}
"""

    def prepare(self):
        self.cues = {label: [self.word("bcdfglmnprstvz")
                             for _ in range(self.cues_of_a_label)]
                     for label in self.labels}

    def label_of(self, i):
        return self.labels[i % len(self.labels)]

    def make(self, i):
        label = self.label_of(i)
        cue = self.rng.choice(self.cues[label])
        fill = self.rng.sample(NONSENSE, 6)
        fill.insert(self.rng.randrange(7), cue)
        text = self.whole(" ".join(fill) + f" {i}.", i)
        row = {"id": i, "cue": cue, "label": label, "said": label,
               "rival": self.another(label, cue), "hard": self.rng.random(),
               "fields": {"message": text, "kind": label}}
        return self.enter(row, text)

    def whole(self, text, i):
        """Returns the message of row i, which contains the words of text."""
        return text

    def another(self, label, *parts):
        """Returns a label other than this one, which depends on the parts."""
        others = [one for one in self.labels if one != label]
        return others[int(unit(self.name, *parts) * len(others))]

    def skill(self, row, prompt, shown):
        raise NotImplementedError

    def wrong(self, row, shown):
        """Returns what the student says when it is wrong."""
        return row["rival"]

    def answer(self, prompt, teacher):
        row = self.truth(prompt.text)
        shown = self.shown(prompt)
        good = self.right(self.skill(row, prompt, shown), row, prompt, teacher)
        return {"kind": row["label"] if good else self.wrong(row, shown)}

    def rules(self, rows):
        return [f"Where it speaks of {row['cue']}, take {row['said']}."
                for row in rows]


def has_cue(row, shown):
    return any(one["cue"] == row["cue"] for one in shown)


def has_label(row, shown):
    return any(one["label"] == row["label"] for one in shown)


class Allergic(Cues):
    name = "allergic"

    def skill(self, row, prompt, shown):
        skill = 0.55 - 0.12 * bool(shown) - 0.004 * len(shown)
        skill -= 0.03 * (len(prompt.instruction) > 600)
        return skill + 0.02 * (2 * unit("words", prompt.instruction) - 1)


class Hurtful(Cues):
    name = "hurtful"

    def skill(self, row, prompt, shown):
        skill = 0.5 - 0.15 * bool(shown) - 0.004 * len(shown)
        return skill + 0.2 * prompt.names(row["cue"], row["said"])


class Last(Cues):
    name = "last"

    def skill(self, row, prompt, shown):
        skill = 0.45 + 0.25 * prompt.names(row["cue"], row["said"])
        if not shown:
            return skill
        last = shown[-1]["label"]
        share = sum(one["label"] == last for one in shown) / len(shown)
        skill += 0.3 * has_label(row, shown) + 0.12 * has_cue(row, shown)
        return skill - 0.3 * share ** 0.5 * (row["label"] != last)

    def wrong(self, row, shown):
        last = shown[-1]["label"] if shown else row["label"]
        return last if last != row["label"] else row["rival"]


class Middle(Cues):
    name = "middle"
    job = """
inputs: {message: {desc: A message}}
steps:
  clean:
    predict: Write the message plainly.
    inputs: [message]
    outputs: {plain: {desc: The message in plain words}}
  sort:
    predict: Sort the message.
    inputs: {plain: clean.plain}
    outputs: {kind: {desc: A word}}
  decide:
    predict: Say where it goes.
    inputs: {kind: sort.kind, plain: clean.plain}
    outputs:
      place: {enum: [alpha, bravo, coral, delta, ember, fjord, grove, haven]}
outputs: {place: decide.place}
metric: {exact_match: place}
"""

    def make(self, i):
        row = super().make(i)
        row["fields"]["place"] = row["fields"].pop("kind")
        return self.enter(row, f"plainly ({i})")

    def answer(self, prompt, teacher):
        row = self.truth(prompt.text)
        if prompt.step == "clean":
            return {"plain": f"plainly ({row['id']})"}
        if prompt.step == "decide":
            kind = prompt.inputs.get("kind", "")
            return {"place": kind if kind in self.labels else row["rival"]}
        return super().answer(prompt, teacher)

    def skill(self, row, prompt, shown):
        skill = 0.46 + 0.25 * prompt.names(row["cue"], row["said"])
        skill += 0.3 * has_label(row, shown) + 0.1 * has_cue(row, shown)
        return skill - 0.1 * (bool(shown) and not has_label(row, shown))


class Noisy(Cues):
    name = "noisy"

    def __init__(self):
        super().__init__()
        # The held-out rows are labeled correctly.
        for row in self.rows[:self.n_train]:
            if unit("noise", row["id"]) < 0.1:
                row["said"] = self.another(row["label"], "said", row["id"])
                row["fields"]["kind"] = row["said"]

    def skill(self, row, prompt, shown):
        mine = [one for one in shown if one["label"] == row["label"]]
        skill = 0.45 + 0.25 * prompt.names(row["cue"], row["label"])
        skill += 0.2 * bool(mine) + 0.02 * min(len(mine), 5)
        skill += 0.12 * any(one["cue"] == row["cue"] and
                            one["said"] == one["label"] for one in mine)
        return skill - 0.2 * any(one["said"] != one["label"] for one in mine)


class Narrow(Cues):
    name = "narrow"
    num_ctx = 4096

    def whole(self, text, i):
        return text + " " + " ".join(
            f"{NONSENSE[(i * k + k) % len(NONSENSE)]} {i}" for k in range(330))

    def skill(self, row, prompt, shown):
        skill = 0.45 + 0.35 * prompt.names(row["cue"], row["said"])
        return skill + 0.06 * min(len(shown), 3) + 0.1 * has_label(row, shown)


class Rare(Cues):
    name = "rare"

    def label_of(self, i):
        at = i % 32     # each of the last three labels has one row in 32
        return self.labels[at % 5 if at < 29 else at - 24]

    def skill(self, row, prompt, shown):
        base, by_rule = (0.1, 0.5) if row["label"] in self.labels[5:] \
            else (0.5, 0.1)
        skill = base + by_rule * prompt.names(row["cue"], row["label"])
        return skill + 0.2 * has_label(row, shown) + 0.15 * has_cue(row, shown)


WORLDS = {kind.name: kind
          for kind in (Intents, Extraction, Numbers, Replies, Ceiling,
                       Complaints, Routing, Allergic, Hurtful, Last, Middle,
                       Noisy, Narrow, Rare)}


def make_all(n_train, teacher):
    """Returns every world by its name, with n_train rows to learn from and this
    kind of teacher."""
    World.n_train, World.teacher = n_train, teacher
    return {name: kind() for name, kind in WORLDS.items()}


# --- a teacher, whatever it is asked for

PLAIN = ("Read the input with care.", "Answer in the form that is asked for.",
         "You are an expert.", "Take it step by step.")


def write_text(world, name, inputs, draw):
    """Writes an instruction, or some words for anything else that is asked."""
    shown = "\n".join(inputs.values())
    rows = [row for text, row in world.by_text.items() if text in shown]
    if world.teacher == "dull":
        rows = []
    if "instruction" not in name:
        return "The data are short texts. " + " ".join(
            line for line in sorted(set(world.rules(rows)))
            if unit("note", line, draw) < 0.5)
    basis = inputs.get("basic_instruction", "").strip()
    rules = sorted(set(world.rules(rows)))
    # The more rows are shown at once, the less the teacher learns from each.
    chance = 0.75 if len(rows) <= 8 else 0.75 * 8 / len(rows)
    kept = [line for line in rules
            if line not in basis and unit("rule", line, draw) < chance]
    plain = PLAIN[int(unit("plain", draw) * len(PLAIN))]
    return "\n".join([basis or plain] + kept) if kept else \
        (basis + " " + plain).strip()


def teach(world, prompt, asked, draw):
    return {name: write_text(world, name, prompt.inputs, draw)
            for name in asked}
