#include "serve/openapi.h"

#include "common/json.h"
#include "program/graph/program.h"
#include "program/graph/type_form.h"

// If a part fails, the whole is NULL, because jansson's setters refuse a NULL
// value.
static json_t *schema_of_field(const struct field *field)
{
    json_t *schema = type_schema(&field->type);

    if (schema != NULL && field->desc[0] != '\0')
        (void)json_object_set_new(schema, "description",
                                  json_string(field->desc));
    if (schema != NULL && field->default_value != NULL)
        (void)json_object_set(schema, "default", field->default_value);
    return schema;
}

static json_t *object_schema(json_t *properties, json_t *required)
{
    return json_pack("{s:s,s:o,s:o,s:b}", "type", "object", "properties",
                     properties, "required", required, "additionalProperties",
                     0);
}

static json_t *inputs_schema(const struct program *program)
{
    json_t *properties = json_object();
    json_t *required = json_array();

    for (size_t i = 0; i < program->n_inputs; i++) {
        const struct field *field = &program->inputs[i];

        (void)json_object_set_new(properties, field->name,
                                  schema_of_field(field));
        if (field->default_value == NULL)
            (void)json_array_append_new(required, json_string(field->name));
    }
    return object_schema(properties, required);
}

static json_t *outputs_schema(struct program *program, struct err *err)
{
    json_t *properties = json_object();
    json_t *required = json_array();

    for (size_t i = 0; i < program->n_outputs; i++) {
        const struct program_output *output = &program->outputs[i];
        struct field field = {0};

        if (!step_source_field(program, &output->source, output->name, &field,
                               err)) {
            json_decref(properties);
            json_decref(required);
            return NULL;
        }
        (void)json_object_set_new(properties, output->name,
                                  schema_of_field(&field));
        (void)json_array_append_new(required, json_string(output->name));
        field_release(&field);
    }
    return object_schema(properties, required);
}

static json_t *reference(const char *name)
{
    return json_pack("{s:s+}", "$ref", "#/components/schemas/", name);
}

static json_t *content(json_t *schema)
{
    return json_pack("{s:{s:{s:o}}}", "content", "application/json", "schema",
                     schema);
}

static json_t *with_text(json_t *object, const char *text)
{
    if (object != NULL)
        (void)json_object_set_new(object, "description", json_string(text));
    return object;
}

// The schema of one object, or a list of them.
static json_t *one_or_list(const char *name, size_t most)
{
    return json_pack("{s:[o,{s:s,s:o,s:I}]}", "oneOf", reference(name), "type",
                     "array", "items", reference(name), "maxItems",
                     (json_int_t)most);
}

static json_t *responses(size_t most)
{
    static const struct {
        const char *status, *text;
    } errors[] = {
        {"400", "The body is neither a JSON object nor a list of them."},
        {"401", "The token is missing or wrong."},
        {"413", "The body is too large."},
        {"415", "The body is not declared as application/json."},
        {"421", "Without a token this server only answers as localhost."},
        {"422", "The inputs do not fit the program, or make a prompt that is "
                "longer than the model's context."},
        {"500", "A program of a step, on the server's machine, failed."},
        {"502", "The model gave no readable answer, or its server an error."},
        {"503", "Too much is waiting, the model server cannot be reached, or "
                "this server is stopping. Retry-After says when to ask again."},
        {"504", "The model server did not answer in time."},
    };
    json_t *all = json_pack(
        "{s:o}", "200",
        with_text(
            content(one_or_list("Result", most)),
            "The outputs. For a list of inputs, a list in the same order, "
            "with an error where there are no outputs."));

    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
        (void)json_object_set_new(
            all, errors[i].status,
            with_text(content(reference("Error")), errors[i].text));
    return all;
}

static json_t *predict_path(size_t most)
{
    json_t *body = content(one_or_list("Inputs", most));

    (void)json_object_set_new(body, "required", json_true());
    return json_pack("{s:{s:s,s:s,s:o,s:o}}", "post", "operationId", "predict",
                     "summary", "Runs the program on inputs", "requestBody",
                     body, "responses", responses(most));
}

static json_t *error_schema(void)
{
    return json_pack("{s:s,s:[s],s:{s:{s:s,s:[s,s],s:{s:{s:s},s:{s:s}}}}}",
                     "type", "object", "required", "error", "properties",
                     "error", "type", "object", "required", "code", "text",
                     "properties", "code", "type", "string", "text", "type",
                     "string");
}

static json_t *result_schema(void)
{
    return json_pack("{s:s,s:{s:o,s:{s:s,s:s}}}", "type", "object",
                     "properties", "outputs", reference("Outputs"), "simulated",
                     "type", "boolean", "description",
                     "A stand-in answered, not a model.");
}

json_t *openapi_of(const struct compiled *compiled, size_t most,
                   struct err *err)
{
    json_t *outputs = outputs_schema(compiled->program, err);
    json_t *document = NULL;

    if (outputs == NULL)
        return NULL;
    document = json_pack(
        "{s:s,s:{s:s,s:s},s:{s:o},s:{s:{s:o,s:o,s:o,s:o}}}", "openapi", "3.1.0",
        "info", "title", json_get_text(compiled->metadata, "name", "promptcc"),
        "version", compiled->job_id, "paths", "/predict", predict_path(most),
        "components", "schemas", "Inputs", inputs_schema(compiled->program),
        "Outputs", outputs, "Result", result_schema(), "Error", error_schema());
    if (document == NULL)
        err_nomem(err, "the description of the server");
    return document;
}
