#!/bin/sh
# Remakes the four .zst files beside this script from a folder that holds the canonical MNIST files, raw or .gz.
#
#     assets/mnist/make.sh FOLDER
#
# Needs zstd (1.5.7 made the images that are checked in; another version may give other bytes that unpack to the same),
# gzip for .gz files, and md5sum or md5. Nothing is replaced unless all four files have the canonical MD5 sums.
set -eu

[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
from=$1
to=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "$to/.make.XXXXXX")
trap 'rm -rf "$work"' EXIT

md5_of() {
    if command -v md5sum >/dev/null 2>&1; then md5sum <"$1" | cut -d ' ' -f 1; else md5 -q "$1"; fi
}

pack() { # NAME MD5
    if [ -f "$from/$1" ]; then
        cat "$from/$1" >"$work/$1"
    elif [ -f "$from/$1.gz" ]; then
        gzip -dc "$from/$1.gz" >"$work/$1"
    else
        echo "$0: $from holds no $1 and no $1.gz" >&2
        exit 1
    fi
    found=$(md5_of "$work/$1")
    if [ "$found" != "$2" ]; then
        echo "$0: $from/$1 has the MD5 sum $found, expected $2" >&2
        exit 1
    fi
    zstd --ultra -22 --quiet "$work/$1" -o "$work/$1.zst"
}

pack train-images-idx3-ubyte 6bbc9ace898e44ae57da46a324031adb
pack train-labels-idx1-ubyte a25bea736e30d166cdddb491f175f624
pack t10k-images-idx3-ubyte 2646ac647ad5339dbf082846283269ea
pack t10k-labels-idx1-ubyte 27ae3e4e09519cfbb04c329615203637

chmod 644 "$work"/*.zst
mv "$work"/*.zst "$to/"
(cd "$to" && wc -c ./*.zst)
