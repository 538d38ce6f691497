#!/usr/bin/env bash
# Shows gfapi at work: installs what is missing, starts a throw-away GlusterFS volume on this
# machine, runs examples/tour.py on it, and removes the volume.
set -euo pipefail

usage() {
    cat <<'END'
Usage: ./demo.sh [OPTIONS OF THE SANDBOX]

Installs what is missing (GlusterFS's server, Python), starts a throw-away GlusterFS volume on
this machine, runs examples/tour.py on it, and removes the volume. Needs root, or sudo.

  ./demo.sh                          a volume of one brick
  ./demo.sh --nodes 3 --replica 3    three copies of each file, each on a node of its own

Environment: PYTHON=... names the Python to use.
END
}

main() {
    local python
    if [[ ${1-} == --help || ${1-} == -h ]]; then
        usage
        return
    fi
    install_python
    install_gluster
    python=$(find_python)
    say "Starting a GlusterFS volume on this machine ..."
    as_root env "PYTHONPATH=$PWD" PYTHONDONTWRITEBYTECODE=1 \
        "$python" -m gluster.gfapi.sandbox "$@" --run "$python" examples/tour.py
    say "The volume is gone again. What ran: examples/tour.py"
}

cd "$(dirname "${BASH_SOURCE[0]}")"
# shellcheck source=tools/install.sh
source tools/install.sh
main "$@"
