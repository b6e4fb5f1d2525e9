#!/bin/bash
# SPDX-License-Identifier: MIT
# The network made of sockets: as an ordinary user, DHCP, TCP both ways, UDP, ping, forwarded ports, what is refused.
. "$(dirname "$0")/lib.sh"
soft usernet.sh
