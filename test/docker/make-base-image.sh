#!/usr/bin/env bash
# Makes a Docker image of Debian or Ubuntu where none can be pulled.
set -euo pipefail

usage() {
    cat <<'END'
Usage: test/docker/make-base-image.sh [IMAGE [SUITE [MIRROR]]]

Makes a minimal Debian or Ubuntu with debootstrap and gives it to the Docker engine as IMAGE
(default: gfapi-base). SUITE and MIRROR default to what this machine itself is installed from,
and so do the image's package sources and certificates. Needs root, or sudo.

./functional_tests.sh --docker does this by itself where the base image cannot be pulled. To have
the tests run in the image of another release:

  test/docker/make-base-image.sh trixie-base trixie
  GFAPI_BASE_IMAGE=trixie-base ./functional_tests.sh --docker
END
}

main() {
    local image=${1:-gfapi-base} suite mirror own_suite
    if [[ $image == --help || $image == -h ]]; then
        usage
        return
    fi
    has apt-get || fail "Only Debian and Ubuntu have debootstrap's packages: pull a base image."
    as_root true
    has debootstrap || install_packages "debootstrap" ""
    own_suite=$(. /etc/os-release && echo "${VERSION_CODENAME-}")
    suite=${2:-$own_suite}
    mirror=${3:-$(own_mirror)}
    root=$(mktemp -d /var/tmp/gfapi-base.XXXXXX)
    trap 'as_root rm -rf "$root"' EXIT
    say "Making the image $image of $suite ..."
    quietly as_root debootstrap --variant=minbase --include=ca-certificates "$suite" "$root" \
        "$mirror" || fail "debootstrap failed."
    if [[ $suite == "$own_suite" && -z ${3-} ]]; then
        copy_package_sources
    fi
    copy_certificates
    as_root rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*
    as_root tar -C "$root" --numeric-owner -c . | docker import - "$image" >/dev/null
}

# Prints where this machine takes its base system from.
own_mirror() {
    # shellcheck disable=SC2016 # these are apt's
    apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v suite="$(. /etc/os-release && echo "$VERSION_CODENAME")" \
            '$2 == suite && $3 == "main" && !found++ { print $1 }'
}

copy_package_sources() {
    local path
    as_root rm -f "$root/etc/apt/sources.list"
    for path in sources.list sources.list.d keyrings trusted.gpg.d; do
        if [[ -e /etc/apt/$path ]]; then
            as_root cp -r "/etc/apt/$path" "$root/etc/apt/"
        fi
    done
    # Not the files, which may name programs that the image does not have.
    apt-config dump Acquire | as_root tee "$root/etc/apt/apt.conf.d/90host" >/dev/null
}

copy_certificates() {
    local folder=/usr/local/share/ca-certificates
    if [[ -d $folder ]]; then
        as_root cp -r "$folder/." "$root$folder/"
        quietly as_root chroot "$root" update-ca-certificates
    fi
}

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# shellcheck source=tools/install.sh
source tools/install.sh
main "$@"
