// schema: the tables and views, as steps from version to version.
//
// Step v turns a store of version v - 1 into one of version v; step 1 starts
// from an empty file. To change the schema: raise STORE_VERSION (store.h), add
// a file schema_<version>.sql and its line in schema.c and CMakeLists.txt,
// describe it in docs/store.md. Never edit a step that was released: files out
// there were made by it. A view may be dropped and made anew in a later step.

#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

// The SQL of step `version`, from 1 to STORE_VERSION.
const char *schema_step(int version);

#endif
