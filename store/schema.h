// schema: the tables, as steps from version to version, and the views.
//
// Step v turns a store of version v - 1 into one of version v; step 1 starts
// from an empty file. To change a table: raise STORE_VERSION (store.h), add a
// file schema_<version>.sql and its line in schema.c and CMakeLists.txt, and
// describe the change in docs/store.md. Never edit a released step: existing
// files were made with it.
//
// A view is one file, views/v_<name>.sql, which holds its CREATE VIEW; CMake
// finds it. Views hold no data, so opening a store for writing replaces them if
// they are not this program's (migrate.h). Their columns are listed in
// docs/store.md, and a test compares that list with the views.

#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <stddef.h>

// Returns the SQL of step `version`, from 1 to STORE_VERSION.
const char *schema_step(int version);

struct schema_view {
    const char *name;
    const char *sql;
};

extern const struct schema_view schema_views[];
extern const size_t schema_n_views;

#endif
