#!/bin/sh
# Renders the chart into deploy/kubernetes, for those without Helm. A test checks
# that it is up to date. $HELM names another helm.
set -eu
cd "$(dirname "$0")"
{
    echo "# Rendered by deploy/render.sh: change the chart in deploy/helm instead."
    "${HELM:-helm}" template promptcc helm/promptcc --namespace promptcc \
        --kube-version 1.29.0 --set 'ollama.models.pull={qwen2.5:7b}'
} >kubernetes/promptcc.yaml.new
mv kubernetes/promptcc.yaml.new kubernetes/promptcc.yaml
