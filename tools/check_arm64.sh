#!/usr/bin/env bash
# Does the whole job on the Raspberry Pi's architecture, without a Raspberry Pi: this checkout is
# installed by pip in a Debian arm64 root, run by qemu, and teaches, adapts, exports and verifies
# without TensorFlow; then compares with this machine.
#
#   tools/check_arm64.sh [WORK]
#
# WORK      where roots, wheels and results are kept (default: a folder in the cache)
#
# Environment: RELEASES ("trixie:3.13", also "bookworm:3.11"), FORMATS ("float32 int8"), PYTHON
# (python3, with this package and pip). Needs mmdebstrap, an x86-64 Debian or Ubuntu and some 2 GB;
# takes some ten minutes. Its timings say nothing about a Pi, and its memory has qemu's in it.
set -euo pipefail

here=$(realpath "$(dirname "$0")/..")
work=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/edge-classifier-arm64}
python=${PYTHON:-python3}
read -r -a formats <<<"${FORMATS:-float32 int8}"
most_mb=550
mkdir -p "$work" && work=$(realpath "$work")
# Both sides have these caches: 300 pictures of strangers take qemu minutes.
export XDG_CACHE_HOME=$work/cache PYTHONDONTWRITEBYTECODE=1

say() { printf '\n== %s (%d s)\n' "$*" "$SECONDS"; }

# qemu 7.2 of bookworm crashes in LiteRT; trixie's is linked statically, so it runs anywhere.
qemu=$work/qemu/usr/bin/qemu-aarch64
if [[ ! -x $qemu ]]; then
    say "qemu-user of trixie"
    mmdebstrap --quiet --variant=extract --include=qemu-user trixie "$work/qemu"
fi
"$qemu" --version | head -n 1

# What a label is compared by: the frame's number, its name.
labels() { "$python" -c '
import json, sys
for line in sys.stdin:
    said = json.loads(line)
    print(said["source"].rpartition("/")[2], said["frame"], said["label"], sep="\t")'; }

# The same lines of both sides, of which most are no "unknown"?
same() {
    local count known
    count=$(wc -l <"$2") known=$(grep -cv 'unknown$' "$2" || true)
    if ! cmp -s "$2" "$3"; then
        echo "$1: FAILED, of $count labels these differ:"
        diff "$2" "$3" | head -n 10 || true
        failed=1
    elif ((2 * known < count)); then
        echo "$1: FAILED, only $known of $count labels are no \"unknown\": that shows nothing"
        failed=1
    else
        echo "$1: all $count labels are the same, $known of them are no \"unknown\""
    fi
}

say "a video of known things, and the job on $(uname -m)"
rm -rf "$work/scenes" "$work"/job-* "$work/wheel" && mkdir "$work/wheel"
cd "$here"
"$python" tools arm64.scenes "$work/scenes"
"$python" tools arm64.job "$work/scenes" "$work/job-here" "${formats[@]}"
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$work/wheel" .
pip=$("$python" -c 'import pathlib, pip; print(pathlib.Path(pip.__file__).parent)')

failed=0
for release in ${RELEASES:-trixie:3.13}; do
    name=${release%%:*} version=${release##*:}
    root=$work/root-$name site=$work/site-$version
    if [[ ! -x $root/usr/bin/python$version ]]; then
        say "Debian $name, arm64"
        glib=libglib2.0-0
        [[ $name == bookworm ]] || glib=libglib2.0-0t64
        mmdebstrap --quiet --variant=extract --arch=arm64 \
            --include=python3,libgl1,$glib,libgomp1,libstdc++6 "$name" "$root"
    fi
    # Since trixie another package makes this link, which a mere extraction does not have.
    [[ -e $root/lib ]] || ln -s usr/lib "$root/lib"
    # A Python that its children find under its own name, as `sys.executable`.
    wrapper=$work/python-$name
    printf '#!/usr/bin/env bash\nexec %q -cpu cortex-a72 -0 "$0" -L %q %q "$@"\n' \
        "$qemu" "$root" "$root/usr/bin/python$version" >"$wrapper"
    chmod +x "$wrapper"
    there() { PYTHONPATH=$site "$wrapper" "$@"; }

    say "pip install on $("$wrapper" -c 'import platform; print(platform.machine(), "Python", platform.python_version())')"
    wheels=$work/wheels-$version
    rm -rf "$site" "$work/pip" && mkdir "$work/pip" && cp -r "$pip" "$work/pip"
    there_pip() { PYTHONPATH=$work/pip "$wrapper" -m pip --quiet --disable-pip-version-check "$@"; }
    install=(install --no-compile --root-user-action ignore --target "$site"
        --no-index --find-links "$wheels" "$work"/wheel/*.whl)
    if ! there_pip "${install[@]}" 2>"$work/pip.log"; then # a wheel is missing, or too old by now
        rm -rf "$wheels"
        there_pip download --dest "$wheels" "$work"/wheel/*.whl
        there_pip "${install[@]}"
    fi
    if [[ -e $site/tensorflow ]]; then echo "FAILED: TensorFlow was installed" && exit 1; fi
    size=$(du -sm "$site" | cut -f 1)
    echo "installed: $size MB, without TensorFlow"
    if ((size > most_mb)); then echo "FAILED: more than $most_mb MB" && failed=1; fi

    say "the job"
    there tools arm64.job "$work/scenes" "$work/job-$name" "${formats[@]}" || failed=1
    same "live, predict and adapt" "$work/job-here.tsv" "$work/job-$name.tsv"

    say "the bundles"
    for format in "${formats[@]}"; do
        for side in here "$name"; do
            there "$work/job-$side-$format/classify.py" --verify || failed=1
        done
        run=("$work/job-$name-$format/classify.py" "$work/scenes/video.mp4" --no-window)
        "$python" "${run[@]}" | labels >"$work/job-$name-$format-here.tsv"
        there "${run[@]}" | labels >"$work/job-$name-$format-there.tsv" || failed=1
        same "classify.py $format" "$work/job-$name-$format"-{here,there}.tsv
    done
done
if [[ $failed == 0 ]]; then say "equal on arm64"; else say "NOT equal on arm64"; fi
exit $failed
