#!/usr/bin/env bash
# Runs a bundle on the Raspberry Pi's architecture, without a Raspberry Pi: in a Debian arm64 root,
# by qemu, with the wheels that pip would install there; and compares with this machine.
#
#   tools/check_arm64.sh BUNDLE PICTURES VIDEO [WORK]
#
# BUNDLE    what `edge-classifier export` wrote
# PICTURES  a folder of pictures: every label must be the same as here
# VIDEO     a video: every label of its first FRAMES frames must be the same as here
# WORK      where roots, wheels and results are kept (default: a folder in the cache)
#
# Environment: RELEASES ("bookworm:3.11 trixie:3.13"), FRAMES (60), PYTHON (python3, with the
# bundle's requirements). Needs mmdebstrap, an x86-64 Debian or Ubuntu, pip and some 2 GB. Its
# timings say nothing about a Pi.
set -euo pipefail

bundle=$(realpath "$1") pictures=$(realpath "$2") video=$(realpath "$3")
work=${4:-${XDG_CACHE_HOME:-$HOME/.cache}/edge-classifier-arm64}
python=${PYTHON:-python3}
frames=${FRAMES:-60}
mkdir -p "$work" && work=$(realpath "$work")

say() { printf '\n== %s\n' "$*"; }

# qemu 7.2 of bookworm crashes in LiteRT; trixie's is linked statically, so it runs anywhere.
qemu=$work/qemu/usr/bin/qemu-aarch64
if [[ ! -x $qemu ]]; then
    say "qemu-user of trixie"
    mmdebstrap --quiet --variant=extract --include=qemu-user trixie "$work/qemu"
fi
"$qemu" --version | head -n 1

# What a label is compared by: where it comes from, its number, its name.
labels() { "$python" -c '
import json, sys
for line in sys.stdin:
    said = json.loads(line)
    print(said["source"].rpartition("/")[2], said["frame"], said["label"], sep="\t")'; }

here() { "$python" "$bundle/classify.py" "$@"; }

say "on $(uname -m), $("$python" --version)"
here --verify
mapfile -t formats < <("$python" -c '
import json, sys; print(*json.load(open(sys.argv[1]))["models"], sep="\n")' "$bundle/spec.json")
for format in "${formats[@]}"; do
    here "$pictures" --no-window --format "$format" | labels >"$work/pictures-$format-here.tsv"
    here "$video" --no-window --frames "$frames" --format "$format" |
        labels >"$work/video-$format-here.tsv"
done

failed=0
for release in ${RELEASES:-bookworm:3.11 trixie:3.13}; do
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
    say "wheels for Python $version on arm64"
    # pip does not take a newer tag for an older one: every tag in use has to be named.
    "$python" -m pip download --quiet --disable-pip-version-check --only-binary=:all: \
        --python-version "$version" --implementation cp \
        --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 \
        --platform manylinux_2_27_aarch64 --platform manylinux_2_28_aarch64 \
        --requirement "$bundle/requirements.txt" --dest "$work/wheels-$version"
    rm -rf "$site" && mkdir -p "$site"
    for wheel in "$work/wheels-$version"/*.whl; do
        basename "$wheel"
        "$python" -m zipfile -e "$wheel" "$site"
    done
    printf 'installed size of the requirements: %s\n' "$(du -sh "$site" | cut -f 1)"

    there() {
        PYTHONPATH=$site PYTHONDONTWRITEBYTECODE=1 "$qemu" -cpu cortex-a72 -L "$root" \
            "$root/usr/bin/python$version" "$bundle/classify.py" "$@"
    }
    say "on $(PYTHONPATH=$site "$qemu" -cpu cortex-a72 -L "$root" "$root/usr/bin/python$version" \
        -c 'import platform, cv2, numpy; print(platform.machine(), "Python", platform.python_version(), "NumPy", numpy.__version__, "OpenCV", cv2.__version__)')"
    there --verify || failed=1
    for format in "${formats[@]}"; do
        there "$pictures" --no-window --format "$format" |
            labels >"$work/pictures-$format-$name.tsv" || failed=1
        there "$video" --no-window --frames "$frames" --format "$format" |
            labels >"$work/video-$format-$name.tsv" || failed=1
        for kind in pictures video; do
            count=$(wc -l <"$work/$kind-$format-here.tsv")
            if cmp -s "$work/$kind-$format-here.tsv" "$work/$kind-$format-$name.tsv"; then
                echo "$kind $format: all $count labels are the same"
            else
                echo "$kind $format: FAILED, of $count labels these differ:"
                diff "$work/$kind-$format-here.tsv" "$work/$kind-$format-$name.tsv" | head -n 10 || true
                failed=1
            fi
        done
    done
done
if [[ $failed == 0 ]]; then say "equal on arm64"; else say "NOT equal on arm64"; fi
exit $failed
