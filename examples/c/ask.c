// ask: asks a compiled program one question, from C.
//
//     cc ask.c $(pkg-config --cflags --libs promptcc) -o ask
//     ./ask compiled.json http://localhost:11434 '{"user_message": "Hello"}'

#include <promptcc.h>
#include <stdio.h>

static int fail(const struct promptcc_error *error)
{
    fprintf(stderr, "ask: %s\n", error->text);
    return 1;
}

int main(int argc, char **argv)
{
    struct promptcc_error error = {0};
    struct promptcc_program *program = NULL;
    struct promptcc_runner *runner = NULL;
    char *outputs = NULL;
    int status = 0;

    if (argc != 4) {
        fprintf(stderr, "usage: ask COMPILED SERVER INPUTS\n");
        return 2;
    }
    program = promptcc_load(argv[1], &error);
    if (program != NULL)
        runner = promptcc_runner_new(program, "ollama", argv[2], &error);
    if (runner != NULL)
        outputs = promptcc_run(runner, argv[3], &error);
    if (outputs != NULL)
        puts(outputs);
    else
        status = fail(&error);

    promptcc_text_free(outputs);
    promptcc_runner_free(runner);
    promptcc_free(program);
    return status;
}
