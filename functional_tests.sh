#!/usr/bin/env bash
# Runs all tests, in a container or on this machine, and installs what they need.
set -euo pipefail

usage() {
    cat <<'END'
Usage: ./functional_tests.sh [--docker | --local] [ARGUMENTS OF PYTEST]

Runs the unit tests and the functional tests, the latter on throw-away GlusterFS volumes, and
installs what is missing for that. It asks nothing. Paths are relative to the project's folder;
where none is given, all tests run.

  --docker   in a container; the default where a Docker engine answers
  --local    on this machine; the default where none does. Needs root, or sudo

  ./functional_tests.sh --kinds plain -k xattr       some tests, on one kind of volume
  ./functional_tests.sh --local test/unit            the unit tests alone

Environment:
  PYTHON             the Python to test with (--local; default: python3 or the first one that
                     is 3.9 or later)
  GFAPI_BASE_IMAGE   the image that the container's is built on (--docker; default:
                     debian:12-slim or, where that cannot be pulled, one that
                     test/docker/make-base-image.sh makes)
END
}

main() {
    local mode='' argument
    local -a arguments=()
    for argument in "$@"; do
        case $argument in
        --docker | --local) mode=${argument#--} ;;
        -h | --help) usage && return ;;
        *) arguments+=("$argument") ;;
        esac
    done
    "test_${mode:-$(default_mode)}" ${arguments[@]+"${arguments[@]}"}
}

default_mode() {
    if docker_answers; then
        echo docker
    else
        echo local
    fi
}

# ------------------------------------------------------------------------------ this machine

readonly VENV=.venv-tests

test_local() {
    local python
    local -a command=("$VENV/bin/python" -m pytest)
    install_python
    install_gluster
    install_compiler
    python=$(find_python)
    install_venv "$python"
    make_venv "$python"
    if [[ $EUID -ne 0 ]]; then
        # So that nothing of root's stays in the checkout.
        command=(as_root env PYTHONDONTWRITEBYTECODE=1 "${command[@]}" -p no:cacheprovider)
    fi
    if ! names_path "$@"; then
        command+=(test/unit test/functional)
    fi
    say "Testing with $("$python" --version) and $(glusterd --version | head -n 1)"
    "${command[@]}" "$@"
}

# Makes the virtual environment, unless there is one for this Python and these requirements.
make_venv() {
    local python=$1 state
    state=$("$python" -c 'import sys; print(sys.executable, sys.version)' && cat pyproject.toml)
    if [[ -e $VENV/state && $(<"$VENV/state") == "$state" ]]; then
        return
    fi
    say "Making a virtual environment in $VENV ..."
    rm -rf "$VENV"
    "$python" -m venv "$VENV"
    quietly "$VENV/bin/pip" install --editable '.[test]' || fail "pip could not install pytest."
    printf '%s\n' "$state" >"$VENV/state"
}

names_path() {
    local argument
    for argument in "$@"; do
        if [[ -e ${argument%%::*} ]]; then
            return
        fi
    done
    return 1
}

# --------------------------------------------------------------------------------- container

readonly IMAGE=gfapi-tests
readonly BASE_IMAGE=debian:12-slim
readonly OWN_BASE_IMAGE=gfapi-base

test_docker() {
    local base
    docker_answers || fail "No Docker engine answers: start one, or use --local."
    base=$(base_image)
    build_image "$base"
    run_image "$@"
}

# Prints the name of the base image, which is here then.
base_image() {
    local base=${GFAPI_BASE_IMAGE:-$BASE_IMAGE}
    if ! has_image "$base" && ! docker pull --quiet "$base" >&2; then
        [[ -z ${GFAPI_BASE_IMAGE-} ]] || fail "The image $base cannot be pulled."
        base=$OWN_BASE_IMAGE
        say "The image $BASE_IMAGE cannot be pulled; taking $base, made of this machine's packages."
        has_image "$base" || test/docker/make-base-image.sh "$base" >&2
    fi
    echo "$base"
}

has_image() {
    docker image inspect "$1" >/dev/null 2>&1
}

build_image() {
    local base=$1 before after name
    local -a proxies=()
    for name in {http,https,ftp,no}_proxy {HTTP,HTTPS,FTP,NO}_PROXY; do
        proxies+=(--build-arg "$name")
    done
    say "Building the image $IMAGE on $base ..."
    before=$(docker image ls --quiet --no-trunc "$IMAGE")
    quietly docker build --network=host "${proxies[@]}" --build-arg "BASE=$base" --tag "$IMAGE" \
        --file test/docker/Dockerfile . || fail "The image could not be built."
    after=$(docker image ls --quiet --no-trunc "$IMAGE")
    if [[ -n $before && $before != "$after" ]]; then
        docker image rm "$before" >/dev/null 2>&1 || true
    fi
}

run_image() {
    local name=gfapi-tests-$$
    local -a options=(--rm --name "$name" --network=host --cap-add SYS_ADMIN)
    mapfile -t -O "${#options[@]}" options < <(pip_options)
    # The first process in a container takes no notice of signals. With a terminal, Ctrl-C gets to
    # pytest; without one, it ends this script, which then ends the container.
    if [[ -t 0 && -t 1 ]]; then
        options+=(--interactive --tty)
    else
        options+=(--sig-proxy=false)
    fi
    # shellcheck disable=SC2064 # the name is known now and not later
    trap "docker rm --force --volumes '$name' >/dev/null 2>&1 || true" EXIT
    docker run "${options[@]}" "$IMAGE" "$@"
}

# Prints the options that let pip in the container reach what it reaches here, one word a line.
pip_options() {
    local name certificates=${PIP_CERT:-${REQUESTS_CA_BUNDLE:-${SSL_CERT_FILE-}}}
    for name in {http,https,no}_proxy {HTTP,HTTPS,NO}_PROXY $(compgen -e PIP_); do
        if [[ $name != PIP_CERT ]]; then
            printf '%s\n' --env "$name"
        fi
    done
    if [[ -n $certificates ]]; then
        printf '%s\n' --env PIP_CERT=/etc/host-certificates.pem \
            --volume "$(realpath "$certificates"):/etc/host-certificates.pem:ro"
    fi
}

cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tools/install.sh
source tools/install.sh
main "$@"
