#!/bin/sh
# Installs a .deb of promptcc in a fresh root and runs a job there, to check that
# the package needs nothing that it does not name. Run it as root, since it makes
# its own Debian; that root is removed at the end.
#
#   scripts/try_package.sh build/release/package/promptcc_0.1.0_amd64.deb [SUITE]
set -eu

package=$1
suite=${2:-bookworm}
root=$(mktemp -d)
chmod 755 "$root" # apt fetches as its own user
trap 'rm -rf "$root"' EXIT

say() { printf '==> %s\n' "$*"; }

# Uses this machine's mirror, so that it works behind one too.
mirror=$(sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\(http[^ ]*\) .*/\2/p; s/^URIs: *//p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/* 2>/dev/null | head -n 1)

say "making a $suite in $root"
debootstrap --variant=minbase "$suite" "$root" ${mirror:+"$mirror"} >"$root.log" 2>&1 || {
    tail -n 20 "$root.log" >&2
    exit 1
}
rm -f "$root.log"
for file in /etc/apt/apt.conf.d/* /etc/resolv.conf; do
    [ ! -f "$file" ] || cp "$file" "$root$file"
done

say "installing $(basename "$package")"
cp "$package" "$root/promptcc.deb"
chroot "$root" sh -c 'apt-get update -q && apt-get install -y -q --no-install-recommends /promptcc.deb' >/dev/null
chroot "$root" promptcc --version

say "running a job in it"
chroot "$root" sh -ec '
    cd /root
    promptcc init job --template customer_care
    promptcc run job --simulate --quiet
    promptcc predict job/compiled.json --simulate user_message="Where is my parcel?"'
say "it works"
