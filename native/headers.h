// The system's own headers, in the order in which libc's and the kernel's go together, and the numbers that they
// are too old to know. libc's come first: the kernel's then leave out what libc has (libc-compat.h). Where both
// describe one thing in full (<netinet/tcp.h>, <linux/tcp.h>) the kernel's is taken, for it knows more options.
#ifndef BERKELEY_HEADERS_H
#define BERKELEY_HEADERS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/in_systm.h>
#include <netinet/ip.h>
#include <poll.h>

#ifdef __linux__
#include <sys/epoll.h>

#include <linux/version.h>

#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/if_addr.h>
#include <linux/if_alg.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/mptcp.h>
#include <linux/net_tstamp.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netlink.h>
#include <linux/qrtr.h>
#include <linux/rds.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <linux/tipc.h>
#include <linux/tls.h>
#include <linux/udp.h>
#include <linux/vm_sockets.h>

#include <linux/can.h>
#include <linux/can/bcm.h>
#include <linux/can/error.h>
#include <linux/can/isotp.h>
#include <linux/can/j1939.h>
#include <linux/can/raw.h>

// Enumerators cannot be asked for with #ifdef. With headers at least this old all of those in the list exist.
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
#define ENUMERATORS_KNOWN
#endif

#include "newer.h"
#else
#include <netinet/tcp.h>
#include <netinet/udp.h>
#endif

#endif
