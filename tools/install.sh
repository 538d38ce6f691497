# shellcheck shell=bash
# Sourced by the scripts that run on a bare machine: installs what is missing, asking nothing.

# Where servers are, which an ordinary user's PATH may lack.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null 2>&1
}

docker_answers() {
    has docker && docker info >/dev/null 2>&1
}

as_root() {
    if [[ $EUID -eq 0 ]]; then
        "$@"
    elif has sudo; then
        sudo "$@"
    else
        fail "This needs root, and there is no sudo: run it as root."
    fi
}

# Runs a command, and shows what it printed only if it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    if [[ $status -ne 0 ]]; then
        cat "$log" >&2
    fi
    rm -f "$log"
    return "$status"
}

# install_packages APT DNF: installs packages, by their names for apt and for dnf, each a list of
# words.
install_packages() {
    local -a packages
    as_root true
    if has apt-get; then
        read -ra packages <<<"$1"
        say "Installing ${packages[*]} ..."
        apt_install "${packages[@]}" || fail "apt-get could not install ${packages[*]}."
    elif has dnf; then
        read -ra packages <<<"$2"
        say "Installing ${packages[*]} ..."
        quietly as_root dnf -y install "${packages[@]}" ||
            fail "dnf could not install ${packages[*]}."
    else
        fail "Neither apt-get nor dnf is here to install packages with: install $1 by hand."
    fi
}

apt_install() {
    # A fresh machine updates itself for its first minutes, and NEEDRESTART_SUSPEND keeps Ubuntu
    # from restarting its services.
    local -a apt=(env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
        apt-get -o DPkg::Lock::Timeout=300)
    if [[ -z ${apt_is_updated-} ]]; then
        quietly as_root "${apt[@]}" update || say "apt-get update failed; going on without it."
        apt_is_updated=yes
    fi
    quietly as_root "${apt[@]}" install -y --no-install-recommends "$@"
}

# --------------------------------------------------------------------------------- GlusterFS

install_gluster() {
    if has glusterd && has gluster && has_libgfapi; then
        return
    fi
    if has dnf && ! dnf -q list glusterfs-server >/dev/null 2>&1; then
        install_packages "" "centos-release-gluster11"
    fi
    install_packages "glusterfs-server" "glusterfs-server libgfapi.so.0()(64bit)"
}

has_libgfapi() {
    # Without a pipe, which grep would break by leaving early.
    [[ $(ldconfig -p) == *libgfapi.so.0* ]]
}

# ------------------------------------------------------------------------------------ Python

# Prints the path of the interpreter: $PYTHON, or the first one that is new enough.
find_python() {
    local candidate
    local -a candidates=(python3 python3.{13,12,11,10,9})
    if [[ -n ${PYTHON-} ]]; then
        candidates=("$PYTHON")
    fi
    for candidate in "${candidates[@]}"; do
        if python_path "$candidate"; then
            return
        fi
    done
    return 1
}

python_path() {
    # Not `command -v`: under sudo, a wrapper of the user's may not work.
    "$1" -c 'import sys; print(sys.executable) if sys.version_info >= (3, 9) else sys.exit(1)' \
        2>/dev/null
}

install_python() {
    if find_python >/dev/null; then
        return
    fi
    if [[ -n ${PYTHON-} ]]; then
        fail "PYTHON=$PYTHON is no Python 3.9 or later."
    fi
    install_packages "python3" "python3"
    if ! find_python >/dev/null; then
        install_packages "python3.9" "python3.11"
    fi
    find_python >/dev/null || fail "Found no Python 3.9 or later; name one with PYTHON=..."
}

# Debian and Ubuntu ship Python without it.
install_venv() {
    local python=$1 version
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        return
    fi
    version=$("$python" -c 'import sys; print("{}.{}".format(*sys.version_info))')
    install_packages "python$version-venv" "python3-pip"
}

# What the unit tests compare this package with: the C compiler and libgfapi's header files.
install_compiler() {
    if has cc && [[ -e /usr/include/glusterfs/api/glfs.h ]]; then
        return
    fi
    install_packages "gcc libc6-dev libglusterfs-dev" "gcc pkgconfig(glusterfs-api)"
}
