#!/bin/sh
# Installs nhip from the folder that this script lies in, without a network. docs/install.md says more.
#
# Every version gets a folder of its own below the prefix, and `current` leads to the one in use: an installation that
# is broken off changes nothing, and the version before stays until somebody removes it. Nothing is written elsewhere,
# except units of systemd into the folder that --units names.
set -eu
umask 022

PREFIX=/opt/nhip
PYTHON=
UNITS=

usage() {
  cat <<'END'
Usage: ./install.sh [--prefix DIR] [--python FILE] [--units DIR]

  --prefix DIR   where to install; default /opt/nhip
  --python FILE  interpreter to use, of the version that the archive is for; default: the first found
  --units DIR    also write the units of systemd there, e.g. /etc/systemd/system; default: nowhere

Exit codes: 0 installed, or was already; 2 usage; 65 the archive is damaged; 69 no suitable Python, or another
machine than the archive is for; 73 the prefix cannot be written or the disk is full; 70 anything else.
END
}

say() { printf '%s\n' "install: $*"; }

fail() {
  code=$1
  shift
  printf '%s\n' "install: $*" >&2
  exit "$code"
}

while [ $# -gt 0 ]; do
  case $1 in
    --prefix | --python | --units)
      [ $# -ge 2 ] && [ -n "$2" ] || fail 2 "$1 needs a value; --help lists the options"
      case $1 in --prefix) PREFIX=$2 ;; --python) PYTHON=$2 ;; --units) UNITS=$2 ;; esac
      shift 2
      ;;
    -h | --help)
      usage
      exit 0
      ;;
    *) fail 2 "unknown option $1; --help lists the options" ;;
  esac
done

case $PREFIX in /*) ;; *) PREFIX=$(pwd)/$PREFIX ;; esac
case $UNITS in '' | /*) ;; *) UNITS=$(pwd)/$UNITS ;; esac
# These become part of `#!` lines, of sed's replacements and of units.
case $PREFIX in *[!A-Za-z0-9/._+-]*) fail 2 "--prefix $PREFIX: letters, digits and / . _ + - alone, please" ;; esac
PREFIX=${PREFIX%/}
HERE=$(cd "$(dirname "$0")" && pwd)
cd "$HERE"

# --- Is the archive whole? -------------------------------------------------------------------------------------------

[ -f SHA256SUMS ] && [ -f bundle.env ] || fail 65 "$HERE is not an unpacked archive of nhip: unpack it whole, then run this again"
if command -v sha256sum >/dev/null 2>&1; then
  SUM=sha256sum
elif command -v shasum >/dev/null 2>&1; then
  SUM='shasum -a 256'
else
  fail 69 "neither sha256sum nor shasum is installed: without them the archive cannot be verified"
fi
say "comparing $(wc -l < SHA256SUMS | tr -d ' ') files with their check sums …"
# shellcheck disable=SC2086 # two words on purpose
if ! compared=$(LC_ALL=C $SUM -c SHA256SUMS 2>&1); then
  printf '%s\n' "$compared" | sed -n '/: OK$/!s/^/  /p' >&2
  fail 65 "the archive is not what it was when it was made: copy it again, and compare it with the .sha256 beside it"
fi

# --- Is this a machine for it? ---------------------------------------------------------------------------------------

VERSION=$(sed -n 's/^VERSION=//p' bundle.env)
FOR_PYTHON=$(sed -n 's/^PYTHON=//p' bundle.env)
FOR_SYSTEM=$(sed -n 's/^SYSTEM=//p' bundle.env)
FOR_GLIBC=$(sed -n 's/^GLIBC=//p' bundle.env)
NEEDS_MB=$(sed -n 's/^NEEDS_MB=//p' bundle.env)

[ "$(uname -s)-$(uname -m)" = "$FOR_SYSTEM" ] ||
  fail 69 "this archive is for $FOR_SYSTEM, this machine is $(uname -s)-$(uname -m): make one on such a machine with \`make bundle\`"

fits() { "$1" -c "import sys, venv; sys.exit('%d.%d' % sys.version_info[:2] != '$FOR_PYTHON')" 2>/dev/null; }

if [ -n "$PYTHON" ]; then
  found=$(command -v "$PYTHON" || :)
  [ -n "$found" ] || fail 69 "--python $PYTHON: there is no such program"
  fits "$found" || fail 69 "--python $PYTHON is $("$found" --version 2>&1 || :), or lacks the module venv; this archive needs Python $FOR_PYTHON"
else
  found=
  for candidate in "python$FOR_PYTHON" python3 python; do
    if command -v "$candidate" >/dev/null 2>&1 && fits "$candidate"; then
      found=$(command -v "$candidate")
      break
    fi
  done
  [ -n "$found" ] || fail 69 "no Python $FOR_PYTHON with the module venv: install python$FOR_PYTHON from the distribution's medium, or name one with --python"
fi

if [ -n "$FOR_GLIBC" ]; then
  has=$("$found" -c "import platform; print(platform.libc_ver()[1] or 'none')")
  "$found" -c "
import sys
have, need = (tuple(int(part) for part in text.split('.')) for text in ('$has', '$FOR_GLIBC'))
sys.exit(have < need)" 2>/dev/null || fail 69 "this system has glibc $has, the packages need $FOR_GLIBC or newer: use a newer distribution"
fi

# --- Install ---------------------------------------------------------------------------------------------------------

# shellcheck disable=SC2086
sum=$($SUM SHA256SUMS)
NAME=$VERSION-$(printf %.12s "$sum")
TARGET=$PREFIX/versions/$NAME

mkdir -p "$PREFIX/versions" "$PREFIX/bin" 2>/dev/null && [ -w "$PREFIX/versions" ] && [ -w "$PREFIX/bin" ] ||
  fail 73 "$PREFIX cannot be written by $(id -un): become its owner (sudo), or choose another --prefix"

if [ -f "$TARGET/installed" ]; then
  say "$NAME is installed already"
else
  free_mb=$(df -Pk "$PREFIX" | awk 'NR == 2 { print int($4 / 1024) }')
  [ "$free_mb" -ge "$NEEDS_MB" ] || fail 73 "$PREFIX has $free_mb MB free, $NEEDS_MB MB are needed: free some, or choose another --prefix"
  rm -rf "$TARGET"
  trap 'rm -rf "$TARGET"' EXIT
  trap 'exit 130' INT TERM HUP
  say "$("$found" --version) in $TARGET"
  # -I and an empty configuration: neither the caller's environment nor a pip.conf may lead elsewhere.
  "$found" -I -m venv --without-pip "$TARGET" || fail 70 "the virtual environment could not be made: is the disk full?"
  say "installing $(grep -c '==' requirements.txt) packages (a minute or two) …"
  env -i PATH="$PATH" HOME="$TARGET" PIP_CONFIG_FILE=/dev/null PIP_NO_INPUT=1 PYTHONPATH="$(echo "$HERE"/installer/pip-*.whl)" \
    "$TARGET/bin/python" -m pip install --quiet --no-index --no-cache-dir --no-deps --no-compile \
    --disable-pip-version-check --root-user-action=ignore --find-links wheels --require-hashes -r requirements.txt ||
    fail 70 "the packages could not be installed; what pip said stands above"
  say "Kafka's jars, units, documents …"
  mkdir -p "$TARGET/share/nhip"
  cp -R jars systemd docs sbom.cdx.json "$TARGET/share/nhip/"
  say "compiling …"
  "$TARGET/bin/python" -I -m compileall -q -j 0 "$TARGET/lib" >/dev/null 2>&1 || : # some packages carry files for other versions
  "$TARGET/bin/nhip" --version >/dev/null || fail 70 "the program does not start; what it said stands above"
  : > "$TARGET/installed"
  trap - EXIT INT TERM HUP
fi

# A link is replaced in one step: at no time there is none.
link() {
  ln -s "$1" "$2.$$"
  "$TARGET/bin/python" -I -c 'import os, sys; os.replace(*sys.argv[1:])' "$2.$$" "$2"
}

before=$(readlink "$PREFIX/current" 2>/dev/null || :)
link "versions/$NAME" "$PREFIX/current"
link ../current/bin/nhip "$PREFIX/bin/nhip"

if [ -n "$UNITS" ]; then
  mkdir -p "$UNITS" 2>/dev/null && [ -w "$UNITS" ] || fail 73 "--units $UNITS cannot be written by $(id -un)"
  for unit in "$TARGET"/share/nhip/systemd/nhip*; do
    sed "s|/opt/nhip/|$PREFIX/|g" "$unit" > "$UNITS/$(basename "$unit")"
  done
  say "units are in $UNITS: systemctl daemon-reload"
fi

say "nhip $VERSION is in $PREFIX ($NAME)"
if [ -n "$before" ] && [ "$before" != "versions/$NAME" ]; then
  say "the one before stays in $PREFIX/$before; to go back see docs/upgrade.md in $PREFIX/current/share/nhip"
  say "before the workers start: $PREFIX/bin/nhip prepare"
fi
cat <<END

Next:
  $PREFIX/bin/nhip try $PREFIX/current/lib/python$FOR_PYTHON/site-packages/nhip/data/receipt.csv --mapping receipt
  $PREFIX/bin/nhip up --data /srv/nhip
The first counts a sample file and leaves nothing behind, the second runs everything on this machine. Units of systemd,
your own Kafka and ClickHouse: $PREFIX/current/share/nhip/docs/install.md
END
