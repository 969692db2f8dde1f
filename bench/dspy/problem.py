"""Writes the problem that compare.py gives to both systems: a job and its data.

    problem.py FOLDER

A shop's customers have eight intents, which they seldom call by name. The
program has three steps, and its metric reads the first one. 48 rows are for
training, 48 for validation, 400 are held out. The rows are always the same.
"""

import json
import pathlib
import random
import sys

PHRASES = {
    "delivery_status": [
        "the delivery was meant to be here on Monday",
        "what is the status of my delivery",
        "the courier's page has shown the same city for a week",
        "I waited at home all day for the courier",
        "how many more days until the courier comes by",
        "the tracking page is blank",
        "my delivery left the city, and nothing since",
        "is there a new status, somebody has to be at home",
        "it is somewhere between the city and my home",
        "the driver was in our street and did not ring"],
    "cancel_order": [
        "please cancel it",
        "I want to cancel what I ordered an hour ago",
        "cancel the second order, I clicked twice",
        "do not send it any more, I changed my mind",
        "I changed my mind overnight and do not need it",
        "stop it before it is packed",
        "I clicked too fast, stop that one",
        "my sister has bought the same, I do not need two",
        "can I still cancel before it is packed",
        "it was my son who clicked, call it off"],
    "refund": [
        "when do I get the refund",
        "the refund is not on my card yet",
        "when does the money come back to my account",
        "the bank says that no money has come from you",
        "I ask for a refund, you took too much from my card",
        "I sent it back three weeks ago, where is my credit",
        "the bank shows the charge but no credit",
        "I want a refund of what I paid, not another one",
        "you promised the amount within five days, the bank has nothing",
        "I was charged twice for what I paid once"],
    "exchange": [
        "I would like to exchange it",
        "can I exchange it for the larger size",
        "it is one size too small, can I exchange it",
        "I would rather have the green colour",
        "it is the wrong colour for our kitchen",
        "swap it for a medium, please",
        "the size fits my brother but not me",
        "can you swap it for the one with the lid",
        "the left shoe has another size than the right one",
        "exchange this for a larger one, please"],
    "defect": [
        "it has a defect",
        "I found a defect on the first day",
        "it makes a grinding noise",
        "it is broken, the screen stays black",
        "the handle broke off after two weeks",
        "there is a defect along the side and it leaks",
        "the battery is dead within ten minutes",
        "a loud noise, and then it was dead",
        "it leaks at the bottom, a defect of the seal",
        "the zip broke on the first day"],
    "account_access": [
        "I have no access to my account",
        "I cannot access my saved lists",
        "the password is wrong, it says",
        "I cannot log in since the update",
        "the code never arrives on my phone when I log in",
        "my account locked me out after three tries",
        "I have forgotten the password and the link has expired",
        "somebody changed the password of my account and I am locked out",
        "log in sends me back to the start page",
        "the link to set a new password is dead"],
    "product_question": [
        "a question about the product",
        "I have a question before I buy it",
        "does it run on 110 volts",
        "a question: how long is the cable, and does it fold",
        "is the cover made of real leather",
        "does the old charger fit the new model",
        "what is the difference between the two models",
        "how heavy is the model with the long cable",
        "is the product made of wood or of plastic",
        "does it fold, and how heavy is it"],
    "complaint": [
        "I want to make a complaint",
        "who takes a complaint about your staff",
        "a complaint, since your staff was rude to me",
        "the man on the phone laughed at me",
        "nobody answers, this is the fourth mail",
        "I was cut off on the phone after 50 minutes",
        "never again, what a rude answer",
        "your manager should read this, nobody answers me",
        "I was never treated like this by any staff",
        "a complaint about your manager, who was rude on the phone"],
}

# Phrases that all kinds of people use about all kinds of things.
BEFORE = ["", "Good morning,", "Hello there,", "Hi,", "Hello, order 88213:",
          "Dear team,", "Hi again,", "Good evening,", "So,", "Hey,"]
AFTER = ["", "Thank you.", "Please let me know.", "Best wishes, Jo",
         "What can be done?", "I hope that you can help."]

JOB = """\
name: desk
description: Sort a customer's message, pick out what it is about, answer it.
models:
  student: student:14b
  teacher: teacher:70b
  options: {num_ctx: 8192, num_predict: 1000, temperature: 0}
inputs:
  message: {desc: What the customer wrote}
steps:
  classify:
    predict: Say which intent the message has.
    inputs: [message]
    outputs:
      intent: {enum: [LABELS]}
  extract:
    predict: Pick out what the message is about.
    inputs: [message]
    outputs:
      topic: {desc: The thing that it is about}
  respond:
    chain_of_thought: Answer the customer.
    inputs:
      message:
      intent: classify.intent
      topic: extract.topic
    outputs:
      response: {desc: A short and friendly answer}
outputs:
  intent: classify.intent
  topic: extract.topic
  response: respond.response
data:
  train: train.jsonl
  val: val.jsonl
metric: {exact_match: intent}
"""


def rows(n_each, taken, chance):
    made = []
    for label, phrases in PHRASES.items():
        n = 0
        while n < n_each:
            text = " ".join([chance.choice(BEFORE), chance.choice(phrases) + ".",
                             chance.choice(AFTER)]).strip()
            if text not in taken:
                taken.add(text)
                made.append({"message": text, "intent": label})
                n += 1
    chance.shuffle(made)
    return made


def write(folder):
    folder = pathlib.Path(folder)
    chance = random.Random(1)
    taken = set()
    folder.mkdir(parents=True, exist_ok=True)
    for name, n_each in (("train", 6), ("val", 6), ("test", 50)):
        (folder / f"{name}.jsonl").write_text("".join(
            json.dumps(row) + "\n" for row in rows(n_each, taken, chance)))
    (folder / "job.yaml").write_text(
        JOB.replace("LABELS", ", ".join(PHRASES)))


if __name__ == "__main__":
    write(sys.argv[1])
