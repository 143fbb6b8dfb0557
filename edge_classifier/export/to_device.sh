# Takes a bundle on standard input: where it goes, a token, how many files, and then they, as tar does.
set -u
LC_ALL=C
export LC_ALL
IFS= read -r dir && IFS= read -r token && IFS= read -r count || exit 22
[ -L "$dir" ] && dir=$(readlink -f -- "$dir")
parent=$(dirname -- "$dir") base=$(basename -- "$dir")
new=$parent/.$base-$token

entries() {
  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [ -e "$entry" ] || [ -L "$entry" ]; then printf "%s\n" "${entry##*/}"; fi
  done
}
is_bundle() { grep -q "\"format\": \"BUNDLE_FORMAT\"" "$1/spec.json" 2>/dev/null; }
keep_what_is_not_ours() {
  stuck=
  for entry in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    [ -e "$entry" ] || [ -L "$entry" ] || continue
    case ${entry##*/} in OWNS) continue ;; esac
    [ -e "$dir/${entry##*/}" ] || mv -- "$entry" "$dir/" || stuck=1  # the next one can be .venv
  done
  [ -z "$stuck" ] && rm -rf -- "$1"
}

mkdir -p -- "$parent" || exit 21
digits="[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]"
for left in "$parent/.$base-"$digits-old; do  # where a replacement was cut short
  [ -d "$left" ] || continue
  if [ -e "$dir" ]; then keep_what_is_not_ours "$left" 2>/dev/null; else mv -- "$left" "$dir" || exit 21; fi
done
for left in "$parent/.$base-"$digits; do
  [ -n "$(find "$left" -prune -mmin +60 2>/dev/null)" ] && rm -rf -- "$left"
done

if [ -d "$dir" ]; then
  is_bundle "$dir" || [ -z "$(entries "$dir" | grep -vx "\.venv")" ] || exit 20
elif [ -e "$dir" ]; then
  exit 20
fi
mkdir -- "$new" || exit 21
clean() { rm -rf -- "$new"; }
trap clean EXIT
trap "exit 22" HUP INT TERM PIPE
tar -xof - -C "$new" || exit 21
[ "$(find "$new" -type f | wc -l)" -eq "$count" ] || exit 22

for python in "$dir/.venv/bin/python" python3 python ""; do
  [ -n "$python" ] || exit 23
  command -v "$python" >/dev/null 2>&1 && break
done
lacks=$("$python" -c "
import sys
from importlib.util import find_spec
lacks = [] if sys.version_info >= (3, 10) else [\"Python 3.10\"]
lacks += [name for name in (\"numpy\", \"cv2\") if not find_spec(name)]
if not any(map(find_spec, (\"ai_edge_litert\", \"tflite_runtime\", \"tensorflow\"))):
    lacks.append(\"ai_edge_litert\")
print(\", \".join(lacks))
") || exit 23
[ -z "$lacks" ] || { echo "$lacks"; exit 24; }
"$python" -B "$new/classify.py" --verify </dev/null || exit 25

trap "" HUP INT TERM PIPE
sync
if [ -d "$dir" ]; then
  mv -- "$dir" "$new-old" || exit 21
  mv -- "$new" "$dir" || { mv -- "$new-old" "$dir"; exit 21; }
  keep_what_is_not_ours "$new-old" || exit 26
else
  mv -- "$new" "$dir" || exit 21
fi
