#!/bin/sh
# $mark: `smsbus` with the service's settings, as its user.
set -eu
[ "$${1-}" != init ] || exec $program "$$@"
[ "$$(id -u)" = 0 ] || exec sudo -- "$$0" "$$@"
set -a
. /etc/smsbus/smsbus.env
set +a
# What a command keeps for its user is the service's: nothing of root, or of whoever called.
unset XDG_CACHE_HOME XDG_CONFIG_HOME XDG_DATA_HOME XDG_RUNTIME_DIR XDG_STATE_HOME
export HOME=/var/lib/smsbus
# It stays where it was called, if its user may be there.
exec setpriv --reuid=smsbus --regid=smsbus --init-groups -- \
	sh -c 'cd "$${PWD:-/}" 2>/dev/null || cd /; exec "$$0" "$$@"' $program "$$@"
