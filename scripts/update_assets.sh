#!/bin/sh
# update_assets: fetches the dashboard's only library from npm, checks it, and
# writes it to web/assets unchanged. Use it to raise the version; a build needs
# neither npm nor node.
#
#   scripts/update_assets.sh          the version below again
#   VERSION=1.7.0 HASH= scripts/update_assets.sh   another; prints its hash
set -eu
cd "$(dirname "$0")/.."
version=${VERSION:-1.6.32}
hash=${HASH-sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "uplot@$version" >/dev/null)
package=$work/uplot-$version.tgz
found=sha512-$(openssl dgst -sha512 -binary "$package" | openssl base64 -A)
if [ -z "$hash" ]; then
    echo "uplot $version is $found: write both into this file"
elif [ "$found" != "$hash" ]; then
    echo "uplot $version is $found and not $hash" >&2
    exit 1
fi
tar -xzf "$package" -C "$work"
cp "$work/package/dist/uPlot.iife.min.js" web/assets/uplot.js
cp "$work/package/dist/uPlot.min.css" web/assets/uplot.css
cp "$work/package/LICENSE" web/assets/uplot.LICENSE
git diff --stat -- web/assets
