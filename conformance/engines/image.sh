#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Makes an image that ctr, podman, docker and skopeo all take: one tar with an OCI layout and docker's manifest.json
# over the same blobs. Its root is Debian's static busybox with links for its applets, hard ones: it makes those
# by itself, where four hundred calls of ln take a guest half a minute.
#
# usage: image.sh OUT.tar NAME:TAG
# environment: IMAGE_COMMAND is the command as a JSON array; ROOTFS_TAR names a file for the bare root
set -eu

out=$1 name=$2
busybox=/bin/busybox
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root layout=$work/layout
blobs=$layout/blobs/sha256

# Moves the file $1 under its digest and prints that.
store()
{
	digest=$(sha256sum <"$1" | cut -d' ' -f1)
	mv "$1" "$blobs/$digest"
	echo "$digest"
}

descriptor()
{
	printf '{"mediaType":"application/vnd.oci.image.%s","digest":"sha256:%s","size":%s' \
		"$1" "$2" "$(stat -c %s "$blobs/$2")"
}

for directory in bin etc proc sys dev tmp root var data; do
	mkdir -p "$root/$directory"
done
chmod 1777 "$root/tmp"
cp $busybox "$root/bin/busybox"
"$root/bin/busybox" --install "$root/bin" 2>/dev/null # it names itself, too
printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nuser:x:1000:\n' >"$root/etc/group"
[ -z "${ROOTFS_TAR-}" ] || tar -C "$root" --owner=0 --group=0 -cf "$ROOTFS_TAR" .

mkdir -p "$blobs"
tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$work/layer" .
layer=$(store "$work/layer")
epoch=1970-01-01T00:00:00Z
cat >"$work/config" <<EOF
{"architecture":"amd64","os":"linux","created":"$epoch",
"config":{"Env":["PATH=/bin"],"Cmd":${IMAGE_COMMAND:-[\"sh\"]},"WorkingDir":"/"},
"rootfs":{"type":"layers","diff_ids":["sha256:$layer"]},"history":[{"created":"$epoch"}]}
EOF
config=$(store "$work/config")
cat >"$work/manifest" <<EOF
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
"config":$(descriptor config.v1+json "$config")},"layers":[$(descriptor layer.v1.tar "$layer")}]}
EOF
manifest=$(store "$work/manifest")
cat >"$layout/index.json" <<EOF
{"schemaVersion":2,"manifests":[$(descriptor manifest.v1+json "$manifest"),
"annotations":{"io.containerd.image.name":"$name","org.opencontainers.image.ref.name":"${name##*:}"}}]}
EOF
echo "[{\"Config\":\"blobs/sha256/$config\",\"RepoTags\":[\"$name\"],\"Layers\":[\"blobs/sha256/$layer\"]}]" \
	>"$layout/manifest.json"
echo '{"imageLayoutVersion":"1.0.0"}' >"$layout/oci-layout"
tar -C "$layout" -cf "$out" oci-layout index.json manifest.json blobs
