#!/bin/sh
# Packages the chart and pushes it to a registry, as an OCI artifact:
#
#   helm registry login registry.example.org
#   deploy/publish.sh oci://registry.example.org/charts
#   helm install promptcc oci://registry.example.org/charts/promptcc --version 0.1.0
#
# Arguments after the address go to `helm push`, such as --plain-http or
# --ca-file. The last line of the output is the digest, by which the chart can be
# pinned: oci://registry.example.org/charts/promptcc@sha256:... $HELM names
# another helm.
set -eu
case ${1-} in
oci://?*) to=$1 ;;
*)
    echo "publish.sh: name a registry: deploy/publish.sh oci://HOST/PATH" >&2
    exit 2
    ;;
esac
shift
chart=$(cd "$(dirname "$0")" && pwd)/helm/promptcc
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${HELM:-helm}" lint --quiet "$chart"
"${HELM:-helm}" package "$chart" --destination "$folder" >/dev/null
# Some versions of helm say on standard output what they pushed, others on
# standard error.
"${HELM:-helm}" push "$folder"/promptcc-*.tgz "$to" "$@" 2>&1
