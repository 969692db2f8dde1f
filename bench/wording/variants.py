"""Wordings of a prompt that were tried beside the product's own.

A wording turns (fields, examples, inputs) into messages. The product's own comes
from promptcc itself (bench_wording) and DSPy's from DSPy. The others are kept
here so that the choice can be measured again, for example on another model. A
new wording is one more function and its line in WORDINGS. promptcc uses
chat/parted-again-bare and json/first-quoted-noted-bare today.
"""

import json

END = "[[ ## completed ## ]]"


class Task:
    """What a step asks, as in the job file."""

    def __init__(self, instruction, inputs, outputs):
        self.instruction = instruction
        self.inputs = inputs      # {name: description}
        self.outputs = outputs    # {name: [label...] or None}


def marker(name):
    return f"[[ ## {name} ## ]]"


def section(name, value):
    return f"{marker(name)}\n{value}"


def sections(names, values):
    return "\n\n".join(section(name, values[name]) for name in names)


def kind(labels):
    return f" (one of: {'; '.join(labels)})"


def fields(task, kind=kind):
    lines = ["Input fields:"]
    for i, (name, desc) in enumerate(task.inputs.items(), 1):
        lines.append(f"{i}. `{name}`: {desc}")
    lines += ["", "Output fields:"]
    for i, (name, labels) in enumerate(task.outputs.items(), 1):
        lines.append(f"{i}. `{name}`{kind(labels) if labels else ''}")
    return "\n".join(lines)


def markers_in_words(task):
    return ", then ".join(marker(name) for name in task.outputs)


def chat(system, question, answer=None):
    """Makes a wording of the chat form from its three texts."""

    def render(task, demos, inputs):
        messages = [{"role": "system", "content": system(task)}]
        for demo in demos:
            reply = (answer or plain_answer)(task, demo)
            messages += [
                {"role": "user", "content": question(task, demo)},
                {"role": "assistant", "content": reply}]
        messages.append({"role": "user", "content": question(task, inputs)})
        return messages

    return render


# --- the parts ---

def plain_answer(task, demo):
    return sections(task.outputs, demo) + "\n\n" + END


def json_answer(task, demo):
    return json.dumps({name: demo[name] for name in task.outputs},
                      ensure_ascii=False)


def bare_question(task, values):
    return sections(task.inputs, values)


def reminded_question(words):
    def question(task, values):
        return bare_question(task, values) + "\n\n" + words(task)
    return question


def template(task, value):
    return "\n\n".join([section(name, value(name)) for name in task.inputs] +
                       [section(name, value(name)) for name in task.outputs] +
                       [END])


def braces(name):
    return "{" + name + "}"


def listed_fields(task):
    """Lists the fields, with the labels on separate lines."""
    return fields(task, lambda labels: ", one of:\n" + "\n".join(
        f"   - {label}" for label in labels))


def quoted_fields(task):
    """Lists the fields, with the labels quoted as in JSON."""
    return fields(task, lambda labels: kind(list(map(quoted, labels))))


def described(task):
    """Returns a template whose placeholders say what goes there."""
    def place(name):
        labels = task.outputs.get(name)
        return (f"(one of: {'; '.join(labels)})" if labels
                else f"(the {name.replace('_', ' ')})")
    return "\n\n".join([section(name, place(name)) for name in task.outputs] +
                       [END])


# --- chat ---

def system_before(task):
    return "\n\n".join([
        fields(task), "The user gives the input fields like this:",
        "\n\n".join(section(n, braces(n)) for n in task.inputs),
        "Answer with the output fields, each under its own marker line, then "
        "the end marker, and nothing else:",
        "\n\n".join(section(n, braces(n)) for n in task.outputs), END,
        "Your task: " + task.instruction])


def system_one_template(task):
    """Puts inputs and outputs into one template, which shows a whole
    exchange."""
    return "\n\n".join([
        fields(task),
        "Every exchange has this form, with the values filled in:",
        template(task, braces), "Your task: " + task.instruction])


def system_parted_first(fields):
    """Puts the task first, and continues as `parted`."""
    def system(task):
        first = next(iter(task.outputs))
        return "\n\n".join([
            "Your task: " + task.instruction, fields(task),
            "Every exchange has this form, with the values filled in:",
            template(task, braces),
            f"The user writes what comes before {marker(first)}; you answer "
            "with the rest."])
    return system


def choices(task, label=str):
    """Repeats the labels in a sentence."""
    return "\n".join(f"`{name}` is one of: {'; '.join(map(label, labels))}"
                     for name, labels in task.outputs.items() if labels)


def quoted(label):
    return json.dumps(label, ensure_ascii=False)


def quoted_choices(task):
    return choices(task, quoted)


def listed_choices(task):
    """Repeats the labels, on separate lines."""
    return "\n".join(f"`{name}` is one of:" + "".join(
        f"\n- {label}" for label in labels)
        for name, labels in task.outputs.items() if labels)


def answer_with(task):
    return "\n".join(f"Answer with exactly one of these as `{name}`: "
                     f"{'; '.join(labels)}"
                     for name, labels in task.outputs.items() if labels)


def parted(fields=fields, value=lambda task: braces, before=None, behind=None):
    """One template, then a sentence on who writes which part; the task comes last.

    fields: how they are listed; value: what fills the template's places;
    before, behind: what else is said before and after the task.
    """
    def system(task):
        first = next(iter(task.outputs))
        said = (f"The user writes what comes before {marker(first)}; you "
                "answer with the rest.")
        return "\n\n".join([
            fields(task),
            "Every exchange has this form, with the values filled in:",
            template(task, value(task)),
            said + (" " + before(task) if before else ""),
            "Your task: " + task.instruction] +
            ([behind(task)] if behind else []))
    return system


def also_first(system):
    """Puts the task at the beginning as well."""
    return lambda task: f"Your task: {task.instruction}\n\n{system(task)}"


def system_parted_before(task):
    """Says the same, but before the template."""
    first = next(iter(task.outputs))
    return "\n\n".join([
        fields(task),
        "Every exchange has this form, with the values filled in. The user "
        f"writes what comes before {marker(first)}, you answer with the rest:",
        template(task, braces), "Your task: " + task.instruction])


def noted(task):
    def place(name):
        labels = task.outputs.get(name)
        return braces(name) + (
            f"   (exactly one of: {'; '.join(labels)})" if labels else "")
    return place


def quoted_noted(task):
    def place(name):
        return braces(name) + quoted_note(task.outputs.get(name))
    return place


def quoted_note(labels):
    return (f"   (exactly one of: {', '.join(map(quoted, labels))})" if labels
            else "")


def system_noted(task):
    """Uses one template, and repeats the labels beside their place."""
    return "\n\n".join([
        fields(task),
        "Every exchange has this form, with the values filled in:",
        template(task, noted(task)), "Your task: " + task.instruction])


def system_task_first(task):
    return "\n\n".join([
        task.instruction, fields(task),
        "Every exchange has this form, with the values filled in:",
        template(task, braces)])


def system_no_template(task):
    return "\n\n".join([
        task.instruction, fields(task),
        "Write each output field as a line with its name in a marker, then "
        "its value on the next line; after the last one write " + END + "."])


def system_described(task):
    return "\n\n".join([
        fields(task), "Your task: " + task.instruction,
        "Answer in this form:", described(task)])


def system_described_first(task):
    return "\n\n".join([
        task.instruction, fields(task), "Answer in this form:",
        described(task)])


def begin_with(task):
    return (f"Begin your answer with {markers_in_words(task)}, and end it "
            f"with {END}.")


def respond_with(task):
    names = ", then ".join(f"`{marker(n)}`" for n in task.outputs)
    return (f"Respond with the output fields, starting with {names}, and then "
            f"ending with `{END}`.")


def fill_in(task):
    """Says what comes under the marker, not only that the marker comes."""
    said = ", then ".join(
        f"{marker(n)} and on the next line the {n.replace('_', ' ')}"
        for n in task.outputs)
    return f"Answer with {said}, then {END}."


def value_of(task):
    said = " and ".join(f"`{n}`" for n in task.outputs)
    return f"Answer with the value of {said} in the form above."


# --- JSON ---

def json_template(task):
    inner = ",\n".join(f'  "{name}": "{{{name}}}"' for name in task.outputs)
    return "{\n" + inner + "\n}"


def system_json_before(task, fields=fields):
    return "\n\n".join([
        fields(task), "The user gives the input fields like this:",
        "\n\n".join(section(n, braces(n)) for n in task.inputs),
        "Answer with the output fields as one JSON object with these keys in "
        "this order, and nothing else:", json_template(task),
        "Your task: " + task.instruction])


def system_json_quoted(task):
    return system_json_before(task, quoted_fields)


def system_json_again(task):
    """Like system_json_before, but repeats the labels after the task."""
    return system_json_before(task) + "\n\n" + choices(task)


def system_json_task_first(fields):
    """Puts the task first, and continues as system_json_before."""
    def system(task):
        return "\n\n".join([
            "Your task: " + task.instruction, fields(task),
            "The user gives the input fields like this:",
            "\n\n".join(section(n, braces(n)) for n in task.inputs),
            "Answer with the output fields as one JSON object with these keys "
            "in this order, and nothing else:", json_template(task)])
    return system


def literal_fields(task):
    """Words the lists as DSPy does."""
    lines = ["Your input fields are:"]
    for i, (name, desc) in enumerate(task.inputs.items(), 1):
        lines.append(f"{i}. `{name}` (str): {desc}")
    lines += ["", "Your output fields are:"]
    for i, (name, labels) in enumerate(task.outputs.items(), 1):
        kind = ("Literal[" + ", ".join(map(repr, labels)) + "]" if labels
                else "str")
        lines.append(f"{i}. `{name}` ({kind})")
    return "\n".join(lines)


def noted_place(name, labels):
    return f'"{{{name}}}"' + quoted_note(labels)


def alternatives(name, labels):
    return " | ".join(map(quoted, labels)) if labels else f'"{{{name}}}"'


def braces_place(name, labels):
    return f'"{{{name}}}"'


def produce(task):
    inputs = ", ".join(f"`{name}`" for name in task.inputs)
    outputs = ", ".join(f"`{name}`" for name in task.outputs)
    return f"Given the fields {inputs}, produce the fields {outputs}."


def system_json_places(place, fields=quoted_fields, first="Your task: ",
                       behind=None):
    """Puts the task first.

    place: what is at a field's place in the object; fields: how they are listed;
    first: what comes before the task; behind: what comes at the end.
    """
    def system(task):
        inner = ",\n".join(f'  "{name}": {place(name, labels)}'
                           for name, labels in task.outputs.items())
        return "\n\n".join([
            first + task.instruction, fields(task),
            "The user gives the input fields like this:",
            "\n\n".join(section(n, braces(n)) for n in task.inputs),
            "Answer with the output fields as one JSON object with these keys "
            "in this order, and nothing else:", "{\n" + inner + "\n}"] +
            ([behind(task)] if behind else []))
    return system


def system_json_places_last(task):
    return (system_json_places(noted_place)(task) + "\n\nYour task: " +
            task.instruction)


def system_json_one_template(task):
    """Puts question and answer into one template, as in the chat form."""
    return "\n\n".join([
        fields(task),
        "Every exchange has this form, with the values filled in; the answer "
        "is one JSON object and nothing else:",
        "\n\n".join(section(n, braces(n)) for n in task.inputs),
        json_template(task), "Your task: " + task.instruction])


def system_json_first(task):
    return "\n\n".join([
        task.instruction, fields(task),
        "Answer with the output fields as one JSON object with these keys in "
        "this order, and nothing else:", json_template(task)])


def system_json_noted(task):
    inner = ",\n".join(
        f'  "{name}": "{{{name}}}"' + (
            f"   (exactly one of: {'; '.join(labels)})" if labels else "")
        for name, labels in task.outputs.items())
    return "\n\n".join([
        fields(task), "The user gives the input fields like this:",
        "\n\n".join(section(n, braces(n)) for n in task.inputs),
        "Answer with one JSON object of this form:", "{\n" + inner + "\n}",
        "Your task: " + task.instruction])


def system_json_plain(task):
    keys = ", ".join(f'"{name}"' for name in task.outputs)
    return "\n\n".join([
        task.instruction, fields(task),
        f"Answer with one JSON object with the keys {keys}."])


def one_object(task):
    keys = ", ".join(f'"{name}"' for name in task.outputs)
    return f"Answer with one JSON object, with the keys {keys}."


WORDINGS = {
    "chat": {
        "before": chat(system_before, reminded_question(begin_with)),
        "bare": chat(system_before, bare_question),
        "one-template": chat(system_one_template,
                             reminded_question(respond_with)),
        "one-template-bare": chat(system_one_template, bare_question),
        "one-template-fill": chat(system_one_template,
                                  reminded_question(fill_in)),
        "parted-bare": chat(parted(), bare_question),
        "parted-again-bare": chat(parted(behind=choices), bare_question),
        "parted-between-bare": chat(parted(before=choices), bare_question),
        "parted-quoted-bare": chat(parted(quoted_fields), bare_question),
        "parted-quoted-again-bare": chat(
            parted(quoted_fields, behind=choices), bare_question),
        "parted-quoted-twice-bare": chat(
            parted(quoted_fields, behind=quoted_choices), bare_question),
        "parted-both-again-bare": chat(
            also_first(parted(behind=choices)), bare_question),
        "parted-both-quoted-twice-bare": chat(
            also_first(parted(quoted_fields, behind=quoted_choices)),
            bare_question),
        "parted-answer-with-bare": chat(
            parted(quoted_fields, behind=answer_with), bare_question),
        "parted-listed-twice-bare": chat(
            parted(listed_fields, behind=listed_choices), bare_question),
        "parted-quoted-noted-twice-bare": chat(
            parted(quoted_fields, quoted_noted, behind=quoted_choices),
            bare_question),
        "parted-first-bare": chat(system_parted_first(fields), bare_question),
        "parted-first-listed-bare": chat(system_parted_first(listed_fields),
                                         bare_question),
        "parted-first-quoted-bare": chat(system_parted_first(quoted_fields),
                                         bare_question),
        "parted-before-bare": chat(system_parted_before, bare_question),
        "parted-noted-bare": chat(parted(value=noted), bare_question),
        "noted": chat(system_noted, reminded_question(respond_with)),
        "noted-bare": chat(system_noted, bare_question),
        "task-first": chat(system_task_first,
                           reminded_question(respond_with)),
        "no-template": chat(system_no_template, bare_question),
        "no-template-fill": chat(system_no_template,
                                 reminded_question(fill_in)),
        "described": chat(system_described, bare_question),
        "described-fill": chat(system_described, reminded_question(fill_in)),
        "described-first": chat(system_described_first, bare_question),
        "described-value": chat(system_described,
                                reminded_question(value_of)),
    },
    "json": {
        "before": chat(system_json_before, reminded_question(one_object),
                      json_answer),
        "bare": chat(system_json_before, bare_question, json_answer),
        "again-bare": chat(system_json_again, bare_question, json_answer),
        "quoted-bare": chat(system_json_quoted, bare_question, json_answer),
        "both-quoted-bare": chat(also_first(system_json_quoted), bare_question,
                                 json_answer),
        "first-bare": chat(system_json_task_first(fields), bare_question,
                           json_answer),
        "first-listed-bare": chat(system_json_task_first(listed_fields),
                                  bare_question, json_answer),
        "first-quoted-bare": chat(system_json_task_first(quoted_fields),
                                  bare_question, json_answer),
        "first-quoted-noted-bare": chat(system_json_places(noted_place),
                                        bare_question, json_answer),
        "both-quoted-noted-bare": chat(system_json_places_last, bare_question,
                                       json_answer),
        "first-plain-noted-bare": chat(
            system_json_places(noted_place, first=""), bare_question,
            json_answer),
        "first-alternatives-bare": chat(system_json_places(alternatives),
                                        bare_question, json_answer),
        "first-literal-bare": chat(
            system_json_places(braces_place, literal_fields), bare_question,
            json_answer),
        "first-quoted-produce-bare": chat(
            system_json_places(braces_place, behind=produce), bare_question,
            json_answer),
        "one-template": chat(system_json_one_template,
                             reminded_question(one_object), json_answer),
        "one-template-bare": chat(system_json_one_template, bare_question,
                                  json_answer),
        "task-first": chat(system_json_first, reminded_question(one_object),
                           json_answer),
        "task-first-bare": chat(system_json_first, bare_question,
                                json_answer),
        "noted": chat(system_json_noted, reminded_question(one_object),
                      json_answer),
        "noted-bare": chat(system_json_noted, bare_question, json_answer),
        "plain": chat(system_json_plain, reminded_question(one_object),
                      json_answer),
        "plain-bare": chat(system_json_plain, bare_question, json_answer),
    },
}
