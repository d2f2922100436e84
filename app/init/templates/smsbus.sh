#!/bin/sh
# $mark: `smsbus` with the service's settings, as its user.
set -eu
[ "$${1-}" != init ] || exec $program "$$@"
[ "$$(id -u)" = 0 ] || exec sudo -- "$$0" "$$@"
set -a
. /etc/smsbus/smsbus.env
set +a
cd /
exec setpriv --reuid=smsbus --regid=smsbus --init-groups -- $program "$$@"
