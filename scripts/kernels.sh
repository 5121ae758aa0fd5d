#!/usr/bin/env bash
# Compiles the GPU kernels of the article's network to PTX that drivers turn into code for any NVIDIA GPU since
# 2018 (compute capability 7.5), and writes src/gpu/kernels/article.ptx.zst. Needs Python and zstd; the compiler
# comes from PyPI. `scripts/kernels.sh --check` compares instead, and `--ptx FILE` writes uncompressed.
set -euo pipefail
cd "$(dirname "$0")/.."

site="${CARGO_TARGET_DIR:-target}/nvcc"
mkdir -p "$site"
site="$(cd "$site" && pwd)"
if [ ! -x "$site/nvidia/cu13/bin/nvcc" ]; then
    python3 -m pip install --quiet --no-deps --target "$site" \
        nvidia-cuda-nvcc==13.0.88 nvidia-cuda-crt==13.0.88 nvidia-nvvm==13.0.88 nvidia-cuda-runtime==13.0.96
    find "$site" -path '*/bin/*' -type f -exec chmod +x {} +
fi
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cat src/gpu/kernels/{dialect,article,training}.cuh >"$work/article.cu"
# Nothing newer than CUDA 10.2's PTX is used, so that drivers since 2019 take it.
(cd "$work" && "$site/nvidia/cu13/bin/nvcc" -arch=compute_75 -O3 -fmad=false -ptx article.cu -o all.ptx)
# Its first line says which source it was made of, for a test that has no compiler.
{
    printf '// %s\n' "$(sha256sum <"$work/article.cu" | cut -d ' ' -f 1)"
    sed -e 's/^\.version .*/.version 6.5/' -e '/^\/\//d' "$work/all.ptx"
} >"$work/article.ptx"
case "${1-}" in
--ptx) cp "$work/article.ptx" "$2" ;;
--check)
    zstd --quiet --decompress --stdout src/gpu/kernels/article.ptx.zst | cmp - "$work/article.ptx"
    echo "src/gpu/kernels/article.ptx.zst is what its source gives"
    ;;
*) zstd --quiet --force -19 "$work/article.ptx" -o src/gpu/kernels/article.ptx.zst ;;
esac
