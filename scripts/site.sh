#!/bin/sh
# site.sh [COMMAND...]: lays out the pages of the site in build/pages, then runs
# COMMAND, for example
#
#   scripts/site.sh mkdocs serve
#   scripts/site.sh mkdocs build --strict      (into build/site)
#   scripts/site.sh zensical build --strict
#
# The documents link to files that are not below docs/: the README, a job, the
# notes of a room. So the site has the tree of the repository with these files
# only, and each link leads to the same place as in the repository. The pages are
# symbolic links to the files, so `serve` shows what you edit.
set -eu
cd "$(dirname "$0")/.."

rm -rf build/pages
for file in $(find docs deploy -type f) README.md CHANGELOG.md LICENSE \
    docker-compose.yml bench/quality/README.md bench/quality/experiments.md \
    bench/wording/experiments.md examples/c/ask.c \
    examples/customer_care.ipynb jobs/customer_care/job.yaml simulated/README.md \
    tests/fault/README.md tests/fuzz/README.md web/assets/openapi.json; do
    mkdir -p "build/pages/$(dirname "$file")"
    ln -s "$PWD/$file" "build/pages/$file"
done
[ $# -eq 0 ] || exec "$@"
